/// A raw referral as JSON: the fields of API reference, The referral object, and `partner`, `referrerEmail`,
/// `externalTransactionId` beside them.
enum ReferralDocument {
  private static let textExpected = "Must be a string that is not blank"
  private static let millisecondsExpected = "Must be epoch milliseconds, a whole number from 0"

  /// Reads the referral that a document describes, or makes it of `base`; adds every mistake to `issues`.
  ///
  /// A field that is missing keeps what `base` has; `null` takes it away where that is allowed.
  static func read(
    _ members: [SandboxJSON.Member], over base: SandboxReferral, issues: inout [FieldIssue]
  ) -> SandboxReferral {
    var reader = FieldReader(members)
    var referral = base
    identity(&reader, &referral)
    person(&reader, &referral)
    conversion(&reader, &referral)
    reader.finish { _ in "Unknown field" }
    issues += reader.issues
    return referral
  }

  private static func identity(_ reader: inout FieldReader, _ referral: inout SandboxReferral) {
    if let id = reader.optional("referralId", textExpected, FieldReader.text) { referral.referralID = id }
    if let partner = reader.optional("partner", textExpected, FieldReader.text) { referral.partner = partner }
    let code = reader.optional("referralCode", "Must be 8 characters") { value -> String? in
      value.text.flatMap { $0.count == 8 ? $0 : nil }
    }
    if let code { referral.referralCode = code }
    if let created = reader.optional("createdAt", millisecondsExpected, FieldReader.count) {
      referral.createdAt = created
    }
    replace(&referral.referrerIdentifier, "referrerIdentifier", &reader, textExpected, FieldReader.text)
    replace(&referral.externalSourceID, "externalSourceId", &reader, textExpected, FieldReader.text)
    let metadata = reader.optional("metadata", FieldReader.metadataExpected, FieldReader.metadata)
    if reader.holds("metadata") { referral.metadata = metadata ?? [:] }
  }

  private static func person(_ reader: inout FieldReader, _ referral: inout SandboxReferral) {
    replace(&referral.friendEmail, "friendEmail", &reader, "Invalid email", EmailRule.email)
    replace(&referral.friendName, "friendName", &reader, textExpected, FieldReader.text)
    replace(&referral.referrerEmail, "referrerEmail", &reader, "Invalid email", EmailRule.email)
  }

  private static func conversion(_ reader: inout FieldReader, _ referral: inout SandboxReferral) {
    let names = SandboxReferral.Status.allCases.map(\.rawValue).joined(separator: ", ")
    let status = reader.optional("status", "Must be one of \(names)") { value in
      value.text.flatMap(SandboxReferral.Status.init(rawValue:))
    }
    if let status { referral.status = status }
    if status != nil, referral.status != .converted {
      referral.convertedAt = nil
      referral.conversionValue = nil
      referral.externalTransactionID = nil
      referral.conversionMetadata = nil
    }
    replace(&referral.convertedAt, "convertedAt", &reader, millisecondsExpected, FieldReader.count)
    let valueExpected = "Must be cents: a decimal string, or a whole number from 0"
    replace(&referral.conversionValue, "conversionValue", &reader, valueExpected) { value in
      FieldReader.count(value.text.map { .number($0) } ?? value)
    }
    replace(&referral.externalTransactionID, "externalTransactionId", &reader, textExpected, FieldReader.text)
    _ = reader.optional("currency", "Must be EUR") { $0.text == "EUR" ? true : nil }
    guard referral.status != .converted else { return }
    for name in ["convertedAt", "conversionValue", "currency", "externalTransactionId"]
    where reader.value(name) != nil {
      reader.report(name, "Only a converted referral has one")
    }
  }

  private static func replace<Value>(
    _ field: inout Value?, _ name: String, _ reader: inout FieldReader, _ expected: String,
    _ read: (SandboxJSON) -> Value?
  ) {
    let value = reader.optional(name, expected, read)
    if reader.holds(name) { field = value }
  }
}
