import Foundation

extension JSONEncoder {
  /// Writes everything that other programs read: snake_case, keys in order.
  static var contract: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }

  /// A value as `contract` writes it, on one line, with everything escaped that a terminal obeys or a reader can't see.
  /// Foundation leaves DEL, C1 (U+009B is a CSI) and the marks that turn the writing direction as they are.
  static func contractText(_ value: some Encodable) throws -> String {
    var text = ""
    // Outside of strings there are none of these.
    for scalar in String(decoding: try contract.encode(value), as: UTF8.self).unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator:
        for unit in String(scalar).utf16 { text += "\\u" + String(0x10000 + Int(unit), radix: 16).dropFirst() }
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text
  }
}

extension JSONDecoder {
  static var contract: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return decoder
  }
}
