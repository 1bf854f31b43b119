/// An error in the one shape of API reference, Errors.
struct APIError: Error, Sendable, Equatable {
  /// The codes of the reference, and three of the sandbox's own for what the reference leaves to HTTP.
  enum Code: String, Sendable {
    case validationError = "VALIDATION_ERROR"
    case missingKey = "MISSING_API_KEY"
    case invalidKey = "INVALID_API_KEY"
    case partnerNotApproved = "PARTNER_NOT_APPROVED"
    case notFound = "NOT_FOUND"
    case duplicateConversion = "DUPLICATE_CONVERSION"
    case rateLimited = "RATE_LIMITED"
    case internalError = "INTERNAL_ERROR"
    /// The path exists, the method doesn't; with 405 and `Allow`. Not in the reference.
    case methodNotAllowed = "METHOD_NOT_ALLOWED"
    /// The bytes were no request; with 400, 413, 431, 501 or 505, and the connection closes. Not in the reference.
    case malformedRequest = "MALFORMED_REQUEST"
    /// Too many connections; with 503. Not in the reference.
    case overloaded = "OVERLOADED"
  }

  let status: Int
  let code: Code
  let message: String
  var fields: [FieldIssue] = []
  var refusal: RateLimits.Refusal?
  var headers: [HTTPHeader] = []

  /// 400 naming each field.
  static func validation(_ issues: [FieldIssue]) -> APIError {
    let names = issues.map(\.field).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    return APIError(
      status: 400, code: .validationError, message: "Invalid request: \(names.joined(separator: ", "))",
      fields: issues)
  }

  /// 404, the same for a referral that doesn't exist and one that is another partner's.
  static let noSuchReferral = APIError(status: 404, code: .notFound, message: "Referral not found")

  /// 404 for a path that is no endpoint.
  static let noSuchEndpoint = APIError(status: 404, code: .notFound, message: "No such endpoint")

  /// 409, with which of the reference's two rules was broken.
  static func duplicate(_ message: String) -> APIError {
    APIError(status: 409, code: .duplicateConversion, message: message)
  }

  /// 405 with what the path does take.
  static func methodNotAllowed(allowed: String) -> APIError {
    APIError(
      status: 405, code: .methodNotAllowed, message: "This endpoint takes \(allowed)",
      headers: [HTTPHeader("Allow", allowed)])
  }

  /// 429 with Retry-After in seconds and retryAfterMs, both rounded up.
  static func rateLimited(_ refusal: RateLimits.Refusal) -> APIError {
    let what = refusal.byConversions ? "conversions" : "write requests"
    return APIError(
      status: 429, code: .rateLimited, message: "Too many \(what); retry after the indicated delay", refusal: refusal,
      headers: [HTTPHeader("Retry-After", String(refusal.retryAfterSeconds))])
  }

  /// The answer that carries this error; `fields` and `retryAfterMs` only where there are any.
  var response: HTTPResponse {
    var members: [SandboxJSON.Member] = [
      .init("code", .string(code.rawValue)), .init("message", .string(message)),
    ]
    if !fields.isEmpty {
      let list = fields.map { ["field": .string($0.field), "message": .string($0.message)] as SandboxJSON }
      members.append(.init("fields", .array(list)))
    }
    if let refusal { members.append(.init("retryAfterMs", .integer(refusal.retryAfterMilliseconds))) }
    return HTTPResponse(status: status, headers: headers, json: ["error": .object(members)])
  }
}
