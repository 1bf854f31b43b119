/// The values of `error.code` (API reference, Errors) on which anything depends. Every other one is shown to operators as
/// it came.
public enum APIErrorCode: String, Sendable {
  /// With 404: the API knows no such referral. A 404 without it may be a proxy's, or a wrong path's.
  case notFound = "NOT_FOUND"
}
