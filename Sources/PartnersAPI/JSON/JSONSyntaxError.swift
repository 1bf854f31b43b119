/// The reason that a text is no JSON, and the place.
struct JSONSyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The fault, and the byte at which it is, from 0.
  var description: String
}
