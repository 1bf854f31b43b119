import Conversions

/// A fault of a report.
enum ConvertFault: Sendable, Hashable {
  /// Answered so, and not done.
  case status(Int, code: String?, retryAfter: Duration? = nil)
  /// Done, and answered with 500 all the same.
  case doneBut500
  /// Done, and the answer lost.
  case answerLost
  /// Done, and the answer cut short.
  case answerCut
  /// Lost on the way, for all the sender knows done.
  case requestLost
  /// Never left.
  case refused
  /// The handshake failed.
  case tls
  /// Done, and answered for another referral.
  case otherReferral
  /// Done, and answered with another value.
  case otherValue
  /// Done after a while; cancellable.
  case slow(Duration)

  var isUnknown: Bool {
    switch self {
    case .doneBut500, .answerLost, .answerCut, .requestLost: true
    case .status(let status, _, _): status >= 500
    case .refused, .tls, .otherReferral, .otherValue, .slow: false
    }
  }

  static let rateLimited = Self.status(429, code: "RATE_LIMITED", retryAfter: .seconds(20))
  static let internalError = Self.status(500, code: "INTERNAL_ERROR")
  static let keyRefused = Self.status(401, code: "INVALID_API_KEY")
  static let notApproved = Self.status(403, code: "PARTNER_NOT_APPROVED")
  static let notFound = Self.status(404, code: "NOT_FOUND")
  static let invalid = Self.status(400, code: "VALIDATION_ERROR")
  static let badGateway = Self.status(502, code: nil)
}
