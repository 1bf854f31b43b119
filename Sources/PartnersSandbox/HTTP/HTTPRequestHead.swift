/// The head of a request, read strictly by RFC 9112: what could be understood in two ways is refused.
struct HTTPRequestHead: Sendable {
  /// The way in which the body's end is found.
  enum Framing: Sendable, Equatable {
    case length(Int)
    case chunked
  }

  /// The refusal of a head: the status of the answer and a reason for people.
  struct Failure: Error, Equatable {
    let status: Int
    let reason: String
  }

  static let bytesMax = 16 * 1024
  static let fieldsMax = 100

  let method: String
  let target: String
  let headers: [HTTPHeader]
  let framing: Framing
  let keepsAlive: Bool
  let expectsContinue: Bool

  /// Reads the lines of a head, without the empty one at its end.
  init(_ bytes: ArraySlice<UInt8>) throws(Failure) {
    guard let text = String(validating: bytes, as: UTF8.self) else { throw Self.bad("the head is not UTF-8") }
    // Splits scalars: "\r\n" is one Character, and has to stay two.
    let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.last == "\r" ? line.dropLast() : line
    }
    guard !text.unicodeScalars.contains("\0"), let first = lines.first else { throw Self.bad("an empty head") }
    let parts = String(first).split(separator: " ", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 3, Self.isToken(parts[0]) else { throw Self.bad("a malformed request line") }
    guard parts[2] == "HTTP/1.1" || parts[2] == "HTTP/1.0" else {
      throw Failure(status: 505, reason: "only HTTP/1.1 is spoken here")
    }
    method = parts[0]
    target = try Self.originForm(parts[1])
    guard lines.count - 1 <= Self.fieldsMax else { throw Failure(status: 431, reason: "too many header fields") }
    var headers: [HTTPHeader] = []
    for line in lines.dropFirst() { headers.append(try Self.header(String(line))) }
    self.headers = headers
    guard headers.all("Host").count == 1 || parts[2] == "HTTP/1.0" else { throw Self.bad("one Host is required") }
    framing = try Self.framing(headers)
    let connection = headers.all("Connection").joined(separator: ",").lowercased()
    keepsAlive = parts[2] == "HTTP/1.1" ? !connection.contains("close") : connection.contains("keep-alive")
    expectsContinue = headers.all("Expect").contains { $0.lowercased() == "100-continue" }
  }

  private static func bad(_ reason: String) -> Failure { Failure(status: 400, reason: reason) }

  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII
          && (scalar.properties.isAlphabetic || "0123456789!#$%&'*+-.^_`|~".unicodeScalars.contains(scalar))
      }
  }

  /// Returns the path and query of a target, also if it is given with scheme and authority.
  private static func originForm(_ target: String) throws(Failure) -> String {
    guard target.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw bad("a malformed target") }
    if target.hasPrefix("/") || target == "*" { return target }
    guard target.lowercased().hasPrefix("http://") else { throw bad("a malformed target") }
    return target.dropFirst(7).firstIndex(of: "/").map { String(target[$0...]) } ?? "/"
  }

  private static func header(_ line: String) throws(Failure) -> HTTPHeader {
    guard let colon = line.firstIndex(of: ":"), isToken(String(line[..<colon])) else {
      throw bad("a malformed header field")
    }
    let value = line[line.index(after: colon)...]
    guard value.unicodeScalars.allSatisfy({ $0 == "\t" || ($0.value >= 0x20 && $0.value != 0x7F) }) else {
      throw bad("a control character in a header field")
    }
    return HTTPHeader(String(line[..<colon]), value.trimmingSpace)
  }

  private static func framing(_ headers: [HTTPHeader]) throws(Failure) -> Framing {
    let encodings = headers.all("Transfer-Encoding")
    let lengths = Set(headers.all("Content-Length"))
    if !encodings.isEmpty {
      guard lengths.isEmpty else { throw bad("both Content-Length and Transfer-Encoding") }
      guard encodings.count == 1, encodings[0].lowercased() == "chunked" else {
        throw Failure(status: 501, reason: "no other transfer encoding than chunked")
      }
      return .chunked
    }
    guard let length = lengths.first else { return .length(0) }
    guard lengths.count == 1, length.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(length) else {
      throw bad("a malformed Content-Length")
    }
    return .length(count)
  }
}

extension Substring {
  fileprivate var trimmingSpace: String {
    var text = self
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}
