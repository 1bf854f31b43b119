/// Why a text is no JSON, and where.
struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, and the byte at which it is, from 0.
  var description: String
}
