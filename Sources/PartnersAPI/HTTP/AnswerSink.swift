/// Takes in an answer as libcurl hands it over, and stops it where it grows beyond what any answer of the API needs.
final class AnswerSink {
  private(set) var body: [UInt8] = []
  private(set) var date: String?
  private(set) var retryAfter: String?
  private(set) var contentType: String?
  /// Whether the answer was stopped for its size.
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

  /// Takes a header line; false stops the transfer. A status line begins anew, as interim answers have one each (RFC 9110,
  /// 15.2); lines outside a header are trailers and mean nothing here.
  func take(headerLine line: Span<UInt8>) -> Bool {
    headerBytes += line.count
    headerLines += 1
    guard headerBytes <= HTTPOptions.headerBytesMax, headerLines <= HTTPOptions.headerLinesMax else { return stop() }
    let bytes = unsafe line.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    guard isInHeader == false || Self.mayMatter(bytes) else { return true }
    let text = String(decoding: bytes, as: UTF8.self)
    if text.hasPrefix("HTTP/") {
      (date, retryAfter, contentType, isInHeader) = (nil, nil, nil, true)
    } else if let colon = text.firstIndex(of: ":"), isInHeader {
      take(name: text[..<colon].lowercased(), value: Self.trimmed(text[text.index(after: colon)...]))
    } else if bytes == [13, 10] || bytes == [10] {
      isInHeader = false
    }
    return true
  }

  /// Whether a line of a header is one of those that are kept, begins another one, or ends it.
  private static func mayMatter(_ line: [UInt8]) -> Bool {
    switch line.first.map({ $0 | 0x20 }) {
    case UInt8(ascii: "d"), UInt8(ascii: "r"), UInt8(ascii: "c"), UInt8(ascii: "h"): true
    default: line.count <= 2
    }
  }

  private func take(name: String, value: String) {
    switch name {
    case "date": date = date ?? value
    case "retry-after": retryAfter = retryAfter ?? value
    case "content-type": contentType = contentType ?? value
    default: break
    }
  }

  private func stop() -> Bool {
    isTooLarge = true
    return false
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    while let last = text.last, last.isWhitespace { text.removeLast() }
    return String(text)
  }
}
