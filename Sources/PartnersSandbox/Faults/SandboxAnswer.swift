/// An answer on order, sent as it is.
public struct SandboxAnswer: Sendable, Hashable {
  /// The status code, 200 to 599.
  public var status: Int
  /// Header fields, such as Retry-After or Location; a name may be repeated.
  public var headers: [Field]
  /// The body's media type; `nil` sends no Content-Type.
  public var contentType: String?
  /// The body, of any bytes.
  public var body: [UInt8]

  /// One header field.
  public struct Field: Sendable, Hashable {
    /// The field's name.
    public let name: String
    /// The field's value.
    public let value: String

    /// Creates a field.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  /// Creates an answer; without a body it is an error in the API's shape.
  public init(_ status: Int, headers: [Field] = [], contentType: String? = "application/json", body: String? = nil) {
    self.status = status
    self.headers = headers
    self.contentType = contentType
    self.body = Array((body ?? Self.errorBody(status)).utf8)
  }

  /// The HTML page that a proxy in front of the API answers with.
  public static func html(_ status: Int, headers: [Field] = []) -> SandboxAnswer {
    SandboxAnswer(
      status, headers: headers, contentType: "text/html",
      body: "<html><head><title>\(status)</title></head><body><center><h1>\(status)</h1></center></body></html>\n")
  }

  /// 429 with that Retry-After as it is, and `retryAfterMs` in the body; either may be left out, or wrong.
  public static func rateLimited(retryAfter: String?, retryAfterMilliseconds: Int64?) -> SandboxAnswer {
    var error: [SandboxJSON.Member] = [.init("code", "RATE_LIMITED"), .init("message", "Ordered fault")]
    if let retryAfterMilliseconds { error.append(.init("retryAfterMs", .integer(retryAfterMilliseconds))) }
    return SandboxAnswer(
      429, headers: retryAfter.map { [Field("Retry-After", $0)] } ?? [],
      body: (["error": .object(error)] as SandboxJSON).description)
  }

  private static func errorBody(_ status: Int) -> String {
    let code: APIError.Code =
      switch status {
      case 400: .validationError
      case 401: .invalidKey
      case 403: .partnerNotApproved
      case 404: .notFound
      case 409: .duplicateConversion
      case 429: .rateLimited
      default: .internalError
      }
    guard status >= 400 else { return "{}" }
    let error: SandboxJSON = ["code": .string(code.rawValue), "message": "Ordered fault"]
    return (["error": error] as SandboxJSON).description
  }

  var response: HTTPResponse {
    var fields = headers.map { HTTPHeader($0.name, $0.value) }
    if let contentType { fields.append(HTTPHeader("Content-Type", contentType)) }
    return HTTPResponse(status: status, headers: fields, body: body)
  }
}
