/// Something a test needs from its host that the host did not give.
public struct TestHostError: Error, CustomStringConvertible {
  /// The fault, in a sentence.
  public let description: String

  /// Says what happened.
  public init(_ description: String) { self.description = description }
}
