/// API reference, Report a conversion.
///
/// Fills the gaps of the reference:
/// - Every field is optional, so an empty body counts as `{}`.
/// - A replay without a transaction ID of a conversion without one returns the original, since all writes are
///   idempotent. With an ID on one side only, the IDs differ: 409.
/// - A replay returns the original result whatever value it carries.
/// - An expired referral doesn't convert: 400 naming `referralId`.
/// - `conversionValue` is a whole number from 0 to 2^53 − 1, written without fraction or exponent; left out, the
///   answer echoes `null`. The currency is EUR in capitals, or left out.
/// - `metadata` is kept with the conversion, and the referral's own stays as it is.
enum ConvertEndpoint {
  private struct Conversion {
    var value: Int64?
    var transaction: String?
    var metadata: SandboxJSON?
  }

  static func answer(
    _ request: SandboxRequest, id: String, partner: String, store: inout ReferralStore,
    replay: SandboxConfiguration.ConversionReplay, now: Int64
  ) throws(APIError) -> HTTPResponse {
    let conversion = try conversion(request)
    guard var referral = store.referral(id, of: partner) else { throw .noSuchReferral }
    if let transaction = conversion.transaction,
      let other = store.referral(transaction: transaction, of: partner), other.referralID != id
    {
      throw .duplicate("This transaction ID was already used for another referral")
    }
    switch referral.status {
    case .converted:
      guard referral.externalTransactionID == conversion.transaction else {
        throw .duplicate("The referral was already converted under a different transaction ID")
      }
      guard replay == .idempotent else { throw .duplicate("The referral was already converted") }
      return response(referral, idempotent: true)
    case .expired:
      throw .validation([FieldIssue("referralId", "The referral has expired")])
    case .clicked, .pending:
      referral.status = .converted
      referral.convertedAt = now
      referral.conversionValue = conversion.value
      referral.externalTransactionID = conversion.transaction
      referral.conversionMetadata = conversion.metadata
      return response(store.put(referral, now: now), idempotent: false)
    }
  }

  private static func conversion(_ request: SandboxRequest) throws(APIError) -> Conversion {
    var reader = FieldReader(request.body.isEmpty ? [] : try request.object())
    let value = reader.optional("conversionValue", "Must be a whole number of cents from 0", FieldReader.count)
    _ = reader.optional("currency", "Must be EUR") { $0.text == "EUR" ? true : nil }
    let transaction = reader.optional(
      "externalTransactionId", "Must be a string that is not blank", FieldReader.text)
    let metadata = reader.optional("metadata", FieldReader.metadataExpected, FieldReader.metadata)
    reader.finish(FieldReader.unknown)
    guard reader.issues.isEmpty else { throw .validation(reader.issues) }
    return Conversion(value: value, transaction: transaction, metadata: metadata)
  }

  private static func response(_ referral: SandboxReferral, idempotent: Bool) -> HTTPResponse {
    HTTPResponse(
      status: idempotent ? 200 : 201,
      json: [
        "referralId": .string(referral.referralID),
        "status": .string(referral.status.rawValue),
        "convertedAt": .optional(referral.convertedAt),
        "conversionValue": .optional(referral.conversionValue.map(String.init)),
        "idempotent": .bool(idempotent),
      ])
  }
}
