/// API reference, Create a referral.
///
/// The pair that makes a creation idempotent is compared as it was sent, letter by letter. Posting it again
/// changes nothing of the referral, whatever else the body says, and tells its present status.
enum CreateEndpoint {
  static func answer(
    _ request: SandboxRequest, partner: String, store: inout ReferralStore, now: Int64
  ) throws(APIError) -> HTTPResponse {
    let draft = try draft(request, partner: partner)
    if let referrer = draft.referrerIdentifier, let friend = draft.friendEmail,
      let existing = store.referral(referrer: referrer, friend: friend, of: partner)
    {
      return response(existing, idempotent: true)
    }
    return response(store.put(draft, now: now), idempotent: false)
  }

  private static func draft(_ request: SandboxRequest, partner: String) throws(APIError) -> SandboxReferral {
    var reader = FieldReader(try request.object())
    let referrer = reader.required("referrerIdentifier", "Must be a string that is not blank", FieldReader.text)
    let email = reader.required("friendEmail", "Invalid email", EmailRule.email)
    let name = reader.required("friendName", "Must be a string that is not blank", FieldReader.text)
    let source = reader.optional("externalSourceId", "Must be a string that is not blank", FieldReader.text)
    let metadata = reader.optional("metadata", FieldReader.metadataExpected, FieldReader.metadata)
    reader.finish(FieldReader.unknown)
    guard reader.issues.isEmpty else { throw .validation(reader.issues) }
    return SandboxReferral(
      partner: partner, friendEmail: email, friendName: name, referrerIdentifier: referrer,
      externalSourceID: source, metadata: metadata ?? [:])
  }

  private static func response(_ referral: SandboxReferral, idempotent: Bool) -> HTTPResponse {
    HTTPResponse(
      status: idempotent ? 200 : 201,
      json: [
        "referralId": .string(referral.referralID),
        "referralCode": .string(referral.referralCode),
        "status": .string(referral.status.rawValue),
        "idempotent": .bool(idempotent),
      ])
  }
}
