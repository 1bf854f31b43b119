/// The API keys and whose they are: API reference, Authentication.
struct PartnerKeys: Sendable {
  /// Keys that resolve, and the partner each identifies.
  var partners: [String: String]
  /// Those of them whose partner isn't approved.
  var unapproved: Set<String>

  /// The partner that a request's key identifies.
  func partner(of request: SandboxRequest) throws(APIError) -> String {
    let keys = request.headers.all("X-API-Key")
    guard let key = keys.first, !key.isEmpty else {
      throw APIError(status: 401, code: .missingKey, message: "The X-API-Key header is missing")
    }
    if unapproved.contains(key), keys.count == 1 {
      throw APIError(status: 403, code: .partnerNotApproved, message: "The partner account is not approved yet")
    }
    guard keys.count == 1, let partner = partners[key] else {
      throw APIError(status: 401, code: .invalidKey, message: "The API key is not valid")
    }
    return partner
  }
}
