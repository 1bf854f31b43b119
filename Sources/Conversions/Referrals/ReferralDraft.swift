/// The values from which a referral is created (API reference, Create a referral: Request body).
public struct ReferralDraft: Hashable, Sendable {
  /// The partner's identifier for the referrer. Required.
  public var referrerIdentifier: String
  /// The friend's address. Required.
  public var friendEmail: String
  /// The friend's name. Required.
  public var friendName: String
  /// The partner's reference.
  public var externalSourceID: String?
  /// A JSON object's text, at most 4 KiB.
  public var metadata: String?

  /// Makes a draft from its values.
  public init(
    referrerIdentifier: String, friendEmail: String, friendName: String, externalSourceID: String? = nil,
    metadata: String? = nil
  ) {
    self.referrerIdentifier = referrerIdentifier
    self.friendEmail = friendEmail
    self.friendName = friendName
    self.externalSourceID = externalSourceID
    self.metadata = metadata
  }
}

/// The API's answer on a created referral (API reference, Create a referral: Response).
public struct ReferralReceipt: Hashable, Sendable {
  /// The referral's ID.
  public var referralID: ReferralID
  /// The referrer's share code.
  public var referralCode: String
  /// Its status.
  public var status: ReferralStatus
  /// True if it was there before.
  public var idempotent: Bool

  /// Makes a receipt from its values.
  public init(referralID: ReferralID, referralCode: String, status: ReferralStatus, idempotent: Bool) {
    self.referralID = referralID
    self.referralCode = referralCode
    self.status = status
    self.idempotent = idempotent
  }
}

/// The writable values of a referral (API reference, Update a referral); nil is left as it is.
public struct ReferralChange: Hashable, Sendable {
  /// The partner's reference.
  public var externalSourceID: String?
  /// A JSON object's text, at most 4 KiB.
  public var metadata: String?

  /// Makes a change from its values.
  public init(externalSourceID: String? = nil, metadata: String? = nil) {
    self.externalSourceID = externalSourceID
    self.metadata = metadata
  }
}
