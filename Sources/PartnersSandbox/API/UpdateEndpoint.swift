/// API reference, Update a referral.
///
/// Fills the gaps of the reference: the answer is 200 with the full referral, `metadata` is replaced as a whole, an
/// `externalSourceId` of `null` removes it, and an empty object changes nothing. A body is judged before its referral
/// is looked up.
enum UpdateEndpoint {
  static func answer(
    _ request: SandboxRequest, id: String, partner: String, store: inout ReferralStore, now: Int64
  ) throws(APIError) -> HTTPResponse {
    var reader = FieldReader(try request.object())
    let source = reader.optional("externalSourceId", "Must be a string that is not blank", FieldReader.text)
    let metadata = reader.optional("metadata", FieldReader.metadataExpected, FieldReader.metadata)
    if reader.holds("metadata"), reader.value("metadata") == nil {
      reader.report("metadata", FieldReader.metadataExpected)
    }
    reader.finish { name in
      name == "partnerId" ? FieldReader.unknown(name) : "Not writable: only metadata and externalSourceId are"
    }
    guard reader.issues.isEmpty else { throw .validation(reader.issues) }
    guard var referral = store.referral(id, of: partner) else { throw .noSuchReferral }
    if reader.holds("externalSourceId") { referral.externalSourceID = source }
    if let metadata { referral.metadata = metadata }
    return HTTPResponse(status: 200, json: store.put(referral, now: now).document)
  }
}
