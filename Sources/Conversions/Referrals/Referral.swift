/// One friend referred by one referrer, as the API shows it (API reference, The referral object).
public struct Referral: Hashable, Sendable {
  /// Stable ID, used in URLs.
  public var id: ReferralID
  /// The referrer's share code.
  public var code: String
  /// The status in which it stands.
  public var status: ReferralStatus
  /// The friend's address as the API keeps it; a `clicked` referral may have none yet.
  public var friendEmail: String?
  /// The friend's name.
  public var friendName: String?
  /// The time at which it was made; the API's resolution is a millisecond.
  public var createdAt: Timestamp
  /// The time at which it was converted.
  public var convertedAt: Timestamp?
  /// The reported value in cents; nil where none was reported, or before.
  public var conversionValue: Int64?
  /// `EUR` once converted.
  public var currency: String?
  /// The partner's identifier for the referrer.
  public var referrerIdentifier: String?
  /// The partner's identifier for the referral; can be patched at any time.
  public var externalSourceID: String?

  /// Makes a referral from its values.
  public init(
    id: ReferralID, code: String = "", status: ReferralStatus, friendEmail: String? = nil, friendName: String? = nil,
    createdAt: Timestamp, convertedAt: Timestamp? = nil, conversionValue: Int64? = nil, currency: String? = nil,
    referrerIdentifier: String? = nil, externalSourceID: String? = nil
  ) {
    self.id = id
    self.code = code
    self.status = status
    self.friendEmail = friendEmail
    self.friendName = friendName
    self.createdAt = createdAt
    self.convertedAt = convertedAt
    self.conversionValue = conversionValue
    self.currency = currency
    self.referrerIdentifier = referrerIdentifier
    self.externalSourceID = externalSourceID
  }
}

/// The status in which a referral stands.
public enum ReferralStatus: String, Sendable, Codable, CaseIterable {
  /// The friend followed the link.
  case clicked
  /// The friend left an address.
  case pending
  /// Its one conversion was reported.
  case converted
  /// It came to nothing in time.
  case expired

  /// True while a conversion can still be reported for it.
  public var isOpen: Bool { self == .clicked || self == .pending }
}
