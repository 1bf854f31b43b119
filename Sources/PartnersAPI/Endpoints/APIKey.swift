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

  /// Returns true if it is the same key.
  public func isSame(as other: APIKey) -> Bool { secret == other.secret }

  /// The text that stands in for the key wherever it might be printed.
  public var description: String { "oft_***" }

  /// The text that stands in for the key in a debugger and in string dumps.
  public var debugDescription: String { description }

  /// A mirror without children: reflection does not show the key.
  public var customMirror: Mirror { Mirror(self, children: []) }

  /// Returns a text without the key, should a server or a library have repeated it.
  func redacted(_ text: String) -> String {
    // Works on bytes: the key is ASCII, so the characters around it stay whole.
    String(decoding: redacted(Array(text.utf8)), as: UTF8.self)
  }

  /// Returns bytes without the key, in small letters or capitals.
  func redacted(_ bytes: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var copied = 0
    var index = 0
    while index + secret.utf8.count <= bytes.count {
      guard bytes[index] | 0x20 == UInt8(ascii: "o"), isKey(bytes, at: index) else {
        index += 1
        continue
      }
      result += bytes[copied..<index] + Array(description.utf8)
      index += secret.utf8.count
      copied = index
    }
    return copied == 0 ? bytes : result + bytes[copied...]
  }

  /// Compares without the one bit by which letters differ from capitals; of the key's other signs, digits and `_`, none
  /// becomes another by it.
  private func isKey(_ bytes: [UInt8], at index: Int) -> Bool {
    zip(secret.utf8, bytes[index...]).allSatisfy { $0 | 0x20 == $1 | 0x20 }
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
  }
}
