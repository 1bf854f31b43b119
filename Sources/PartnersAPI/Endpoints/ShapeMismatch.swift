/// A body that is JSON but not what the reference promises. Names the member and never repeats its value.
struct ShapeMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  /// Which member, and what is wrong with it.
  var description: String

  /// A mismatch in words.
  init(_ description: String) { self.description = description }
}
