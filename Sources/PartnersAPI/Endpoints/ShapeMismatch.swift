/// A body that is JSON but not what the reference promises. Names the member and never repeats its value.
struct ShapeMismatch: Error, Hashable, Sendable, CustomStringConvertible {
  /// The member, and the fault with it.
  var description: String

  /// Makes a mismatch from its words.
  init(_ description: String) { self.description = description }
}
