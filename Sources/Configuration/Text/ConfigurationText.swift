/// The bytes of a configuration file as text, or why they are none.
enum ConfigurationText {
  /// Larger files are refused: a configuration is a page or two.
  static let bytesMax = 1 << 20

  /// Decodes UTF-8, with or without a byte order mark.
  static func decode(_ bytes: some Collection<UInt8>) -> Result<String, YAMLSyntaxMistake> {
    guard bytes.count <= bytesMax else {
      return .failure(YAMLSyntaxMistake(position: .start, message: "larger than 1 MiB; this is no configuration"))
    }
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.utf8.count == bytes.count, text.utf8.elementsEqual(bytes) else {
      let valid = zip(text.utf8, bytes).prefix { $0 == $1 }.count
      let position = position(after: String(decoding: bytes.prefix(valid), as: UTF8.self).unicodeScalars)
      return .failure(YAMLSyntaxMistake(position: position, message: "not UTF-8; save the file as UTF-8"))
    }
    return prepare(text)
  }

  /// Takes off a byte order mark and refuses what YAML forbids (YAML 1.2.2, 5.1).
  static func prepare(_ text: String) -> Result<String, YAMLSyntaxMistake> {
    guard text.utf8.count <= bytesMax else {
      return .failure(YAMLSyntaxMistake(position: .start, message: "larger than 1 MiB; this is no configuration"))
    }
    let scalars = text.unicodeScalars.first == "\u{FEFF}" ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
    if let forbidden = scalars.firstIndex(where: { !isAllowed($0.value) }) {
      let code = String(scalars[forbidden].value, radix: 16, uppercase: true)
      let zeros = String(repeating: "0", count: max(0, 4 - code.count))
      let message = "the control character U+\(zeros)\(code) is not allowed"
      return .failure(YAMLSyntaxMistake(position: position(after: scalars[..<forbidden]), message: message))
    }
    return .success(String(scalars))
  }

  private static func position(after scalars: some Sequence<Unicode.Scalar>) -> Position {
    var position = Position.start
    var previous: Unicode.Scalar?
    for scalar in scalars where scalar != "\u{FEFF}" {
      if scalar == "\n", previous == "\r" {
        // The carriage return has ended the line.
      } else if scalar == "\n" || scalar == "\r" {
        position = Position(line: position.line + 1, column: 1)
      } else {
        position.column += 1
      }
      previous = scalar
    }
    return position
  }

  private static func isAllowed(_ value: UInt32) -> Bool {
    switch value {
    case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0x85, 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
    default: false
    }
  }
}
