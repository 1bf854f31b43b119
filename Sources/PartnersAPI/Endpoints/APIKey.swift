/// The API key (API reference, Authentication): `oft_` and 32 hex characters. Never prints itself.
public struct APIKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  /// The key itself, for the request's header alone.
  let secret: String

  /// Takes a key; nil for what is none. The text is not repeated anywhere.
  public init?(_ text: String) {
    let digits = text.utf8.dropFirst(4)
    guard text.hasPrefix("oft_"), digits.count == 32, digits.allSatisfy(Self.isHexDigit) else { return nil }
    secret = text
  }

  /// What stands in for the key wherever it might be printed.
  public var description: String { "oft_***" }

  /// What stands in for the key in a debugger and in string dumps.
  public var debugDescription: String { description }

  /// Nothing to look into.
  public var customMirror: Mirror { Mirror(self, children: []) }

  /// A text without the key, should a server or a library have repeated it.
  func redacted(_ text: String) -> String {
    text.split(separator: secret, omittingEmptySubsequences: false).joined(separator: description)
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
  }
}
