/// One answer, before it is written to a connection.
struct HTTPResponse: Sendable {
  let status: Int
  var headers: [HTTPHeader]
  var body: [UInt8]
  /// The code of the error it carries, for the log.
  var errorCode: String?

  init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  init(status: Int, headers: [HTTPHeader] = [], json: SandboxJSON) {
    self.status = status
    self.headers = headers + [HTTPHeader("Content-Type", "application/json")]
    body = JSONWriter.bytes(of: json)
    errorCode = json["error"]?["code"]?.text
  }

  /// The bytes on the wire. A HEAD is told the length that GET would send, and gets no body.
  func bytes(method: String, keepsAlive: Bool, date: Int64) -> [UInt8] {
    var head = "HTTP/1.1 \(status) \(Self.reason(status))\r\nDate: \(CivilTime(milliseconds: date).httpDate)\r\n"
    for header in headers { head += "\(header.name): \(header.value)\r\n" }
    if status != 204, status != 304, !headers.contains(where: { $0.name.lowercased() == "content-length" }) {
      head += "Content-Length: \(body.count)\r\n"
    }
    head += keepsAlive ? "\r\n" : "Connection: close\r\n\r\n"
    return Array(head.utf8) + (method == "HEAD" || status == 204 || status == 304 ? [] : body)
  }

  private static let reasons = [
    200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 303: "See Other",
    304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect", 400: "Bad Request",
    401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 408: "Request Timeout",
    409: "Conflict", 413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content",
    429: "Too Many Requests", 431: "Request Header Fields Too Large", 500: "Internal Server Error",
    501: "Not Implemented", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    505: "HTTP Version Not Supported",
  ]

  private static func reason(_ status: Int) -> String { reasons[status] ?? "Status" }
}
