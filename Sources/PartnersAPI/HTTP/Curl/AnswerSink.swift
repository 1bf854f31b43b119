/// Takes in an answer as libcurl hands it over, and stops it where it grows beyond what any answer of the API needs.
final class AnswerSink {
  private(set) var body: [UInt8] = []
  private(set) var date: String?
  private(set) var retryAfter: String?
  private(set) var contentType: String?
  private(set) var contentCoding: String?
  /// True once the answer was stopped for its size.
  private(set) var isTooLarge = false

  private var headerBytes = 0
  private var headerLines = 0
  private var isInHeader = false

  /// Takes a part of the body; false stops the transfer.
  func take(body part: Span<UInt8>) -> Bool {
    guard body.count + part.count <= HTTPOptions.bodyBytesMax else { return stop() }
    unsafe part.withUnsafeBufferPointer { unsafe body.append(contentsOf: $0) }
    return true
  }

  /// Takes a header line; false stops the transfer. A status line discards the fields before it, as interim answers
  /// have one each (RFC 9110, 15.2); lines outside a header are trailers and are ignored.
  func take(headerLine line: Span<UInt8>) -> Bool {
    headerBytes += line.count
    headerLines += 1
    guard headerBytes <= HTTPOptions.headerBytesMax, headerLines <= HTTPOptions.headerLinesMax else { return stop() }
    let bytes = unsafe line.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    guard isInHeader == false || Self.mayMatter(bytes) else { return true }
    if bytes.starts(with: "HTTP/".utf8) {
      (date, retryAfter, contentType, contentCoding, isInHeader) = (nil, nil, nil, nil, true)
    } else if let colon = bytes.firstIndex(of: UInt8(ascii: ":")), isInHeader {
      take(name: bytes[..<colon], value: bytes[(colon + 1)...])
    } else if bytes == [13, 10] || bytes == [10] {
      isInHeader = false
    }
    return true
  }

  /// True if a line of a header may be one of those that are kept, begins another header, or ends it.
  private static func mayMatter(_ line: [UInt8]) -> Bool {
    switch line.first.map({ $0 | 0x20 }) {
    case UInt8(ascii: "d"), UInt8(ascii: "r"), UInt8(ascii: "c"), UInt8(ascii: "h"): true
    default: line.count <= 2
    }
  }

  private func take(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>) {
    if Self.isSame(name, "date") {
      date = date ?? Self.trimmed(value)
    } else if Self.isSame(name, "retry-after") {
      retryAfter = retryAfter ?? Self.trimmed(value)
    } else if Self.isSame(name, "content-type") {
      contentType = contentType ?? Self.trimmed(value)
    } else if Self.isSame(name, "content-encoding") {
      contentCoding = contentCoding.map { "\($0), \(Self.trimmed(value))" } ?? Self.trimmed(value)
    }
  }

  /// True if a name is another one, which is in lower case: names are ASCII, and their case means nothing (RFC 9110,
  /// 5.1).
  private static func isSame(_ name: ArraySlice<UInt8>, _ other: StaticString) -> Bool {
    let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
    return other.withUTF8Buffer { other in
      unsafe name.lazy.map { capitals.contains($0) ? $0 | 0x20 : $0 }.elementsEqual(other)
    }
  }

  private func stop() -> Bool {
    isTooLarge = true
    return false
  }

  /// Returns a value without the white space around it, and the line's end (RFC 9110, 5.5).
  private static func trimmed(_ value: ArraySlice<UInt8>) -> String {
    func isWhite(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    let start = value.firstIndex { !isWhite($0) } ?? value.endIndex
    let end = value.lastIndex { !isWhite($0) }.map { $0 + 1 } ?? start
    return String(decoding: value[start..<end], as: UTF8.self)
  }
}
