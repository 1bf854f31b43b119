/// A conversion as it is sent, frozen before its first send: the same bytes, for the same referral, every time.
public struct ConversionReport: Hashable, Sendable {
  /// The most metadata that the API takes, in bytes of JSON (API reference, The referral object: up to 4 KiB).
  public static let metadataBytesMax = 4096

  /// The referral that it is for.
  public var referralID: ReferralID
  /// `externalTransactionId`: the order's ID, plain.
  public var transactionID: TransactionID
  /// The value in cents of EUR; nil where none is reported.
  public var value: Int64?
  /// The request's body.
  public var body: [UInt8]

  /// Composes a report; the body's members stand in a fixed order. `metadata` is a JSON object's text.
  public init(referralID: ReferralID, transactionID: TransactionID, value: Int64?, metadata: String?) {
    self.referralID = referralID
    self.transactionID = transactionID
    self.value = value
    var members: [(name: String, json: String)] = []
    if let value {
      members.append(("conversionValue", String(value)))
      members.append(("currency", JSONText.string("EUR")))
    }
    members.append(("externalTransactionId", JSONText.string(transactionID.text)))
    if let metadata { members.append(("metadata", metadata)) }
    body = Array(JSONText.object(members).utf8)
  }

  /// Makes a report as a ledger kept it.
  public init(referralID: ReferralID, transactionID: TransactionID, value: Int64?, body: [UInt8]) {
    self.referralID = referralID
    self.transactionID = transactionID
    self.value = value
    self.body = body
  }
}

/// The API's answer on a reported conversion (API reference, Report a conversion: Response).
public struct ConversionReceipt: Hashable, Sendable {
  /// The referral it converted.
  public var referralID: ReferralID
  /// Its status, `converted`.
  public var status: ReferralStatus
  /// The time at which it was converted.
  public var convertedAt: Timestamp?
  /// The value in cents that it recorded.
  public var conversionValue: Int64?
  /// True if it had been reported before under the same transaction ID.
  public var idempotent: Bool

  /// Makes a receipt from its values.
  public init(
    referralID: ReferralID, status: ReferralStatus, convertedAt: Timestamp?, conversionValue: Int64?, idempotent: Bool
  ) {
    self.referralID = referralID
    self.status = status
    self.convertedAt = convertedAt
    self.conversionValue = conversionValue
    self.idempotent = idempotent
  }
}
