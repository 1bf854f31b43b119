/// Reads one JSON text, strictly by RFC 8259.
///
/// Refuses on top of the grammar: a name that an object repeats (two readers could see two different requests), more
/// than 128 levels, invalid UTF-8 and lone surrogates.
struct JSONReader {
  /// The reason that a text is not JSON, and the place.
  struct Failure: Error, Equatable {
    /// The part that was found or missed.
    let reason: String
    /// The offset of the offending byte.
    let offset: Int
  }

  static let depthMax = 128

  private let bytes: [UInt8]
  private var offset = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Returns the value that `bytes` hold, with nothing but white space around it.
  static func read(_ bytes: [UInt8]) throws(Failure) -> SandboxJSON {
    var reader = JSONReader(bytes)
    reader.skipSpace()
    let value = try reader.value(depth: 1)
    reader.skipSpace()
    guard reader.offset == bytes.count else { throw reader.failure("unexpected text after the value") }
    return value
  }

  private func failure(_ reason: String) -> Failure { Failure(reason: reason, offset: offset) }

  private var next: UInt8? { offset < bytes.count ? bytes[offset] : nil }

  private mutating func skipSpace() {
    while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    offset += 1
    return true
  }

  private mutating func word(_ word: StaticString, _ value: SandboxJSON) throws(Failure) -> SandboxJSON {
    let expected = Array(word.description.utf8)
    guard bytes[offset...].starts(with: expected) else { throw failure("not a JSON value") }
    offset += expected.count
    return value
  }

  private mutating func value(depth: Int) throws(Failure) -> SandboxJSON {
    guard depth <= Self.depthMax else { throw failure("more than \(Self.depthMax) levels") }
    guard let byte = next else { throw failure("the text ends too early") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default: throw failure("not a JSON value")
    }
  }

  private mutating func object(depth: Int) throws(Failure) -> SandboxJSON {
    offset += 1
    var members: [SandboxJSON.Member] = []
    var names: Set<String> = []
    skipSpace()
    if take("}") { return .object([]) }
    repeat {
      skipSpace()
      guard next == UInt8(ascii: "\"") else { throw failure("expected a name in double quotes") }
      let start = offset
      let name = try string()
      guard names.insert(name).inserted else {
        throw Failure(reason: "the name \"\(name)\" is repeated", offset: start)
      }
      skipSpace()
      guard take(":") else { throw failure("expected ':'") }
      skipSpace()
      members.append(SandboxJSON.Member(name, try value(depth: depth + 1)))
      skipSpace()
    } while take(",")
    guard take("}") else { throw failure("expected ',' or '}'") }
    return .object(members)
  }

  private mutating func array(depth: Int) throws(Failure) -> SandboxJSON {
    offset += 1
    var elements: [SandboxJSON] = []
    skipSpace()
    if take("]") { return .array([]) }
    repeat {
      skipSpace()
      elements.append(try value(depth: depth + 1))
      skipSpace()
    } while take(",")
    guard take("]") else { throw failure("expected ',' or ']'") }
    return .array(elements)
  }

  private mutating func digits() throws(Failure) {
    let start = offset
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { offset += 1 }
    guard offset > start else { throw failure("expected a digit") }
  }

  private mutating func number() throws(Failure) -> SandboxJSON {
    let start = offset
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
    return .number(String(decoding: bytes[start..<offset], as: UTF8.self))
  }
}

extension JSONReader {
  private mutating func string() throws(Failure) -> String {
    let start = offset
    offset += 1
    var text: [UInt8] = []
    while true {
      guard let byte = next else { throw failure("the text ends within a string") }
      switch byte {
      case UInt8(ascii: "\""):
        offset += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw Failure(reason: "a string is not valid UTF-8", offset: start)
        }
        return string
      case UInt8(ascii: "\\"):
        offset += 1
        try escape(into: &text)
      case 0..<0x20: throw failure("a control character within a string")
      default:
        text.append(byte)
        offset += 1
      }
    }
  }

  private mutating func escape(into text: inout [UInt8]) throws(Failure) {
    guard let byte = next else { throw failure("the text ends within a string") }
    offset += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text.append(contentsOf: String(try scalar()).utf8)
    default: throw failure("no such escape")
    }
  }

  private mutating func scalar() throws(Failure) -> Character {
    var code = try unit()
    if (0xD800..<0xDC00).contains(code) {
      guard take("\\"), take("u") else { throw failure("a lone surrogate") }
      let low = try unit()
      guard (0xDC00..<0xE000).contains(low) else { throw failure("a lone surrogate") }
      code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
    }
    guard let scalar = Unicode.Scalar(code) else { throw failure("a lone surrogate") }
    return Character(scalar)
  }

  private mutating func unit() throws(Failure) -> UInt32 {
    guard offset + 4 <= bytes.count else { throw failure("the text ends within a string") }
    let digits = String(decoding: bytes[offset..<offset + 4], as: UTF8.self)
    guard !digits.hasPrefix("+"), let code = UInt32(digits, radix: 16) else {
      throw failure("expected four hex digits")
    }
    offset += 4
    return code
  }
}
