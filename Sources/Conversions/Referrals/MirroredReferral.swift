/// A referral as the mirror keeps it: in normal form, with what only watching it over time can tell.
public struct MirroredReferral: Hashable, Sendable {
  /// Stable ID.
  public var id: ReferralID
  /// The status when last seen.
  public var status: ReferralStatus
  /// The friend's address in normal form.
  public var email: EmailAddress?
  /// The partner's identifier in normal form.
  public var externalSourceID: ExternalSourceID?
  /// The partner's identifier for the referrer, as the API gave it.
  public var referrerIdentifier: String?
  /// The time at which it was made.
  public var createdAt: Timestamp
  /// The time at which it was converted.
  public var convertedAt: Timestamp?
  /// The reported value in cents.
  public var conversionValue: Int64?
  /// The time at which an answer of the API last showed it.
  public var seenAt: Timestamp
  /// The time at which it was last seen clicked or pending; the API does not tell when a referral expired.
  public var openSeenAt: Timestamp?
  /// The time at which it was first seen expired.
  public var expiredSeenAt: Timestamp?
  /// The time at which the API said that it doesn't know it any more.
  public var goneAt: Timestamp?

  /// Brings what the API showed to normal form, keeping from `earlier` what only time can tell.
  public init(_ referral: Referral, seenAt: Timestamp, earlier: MirroredReferral? = nil) {
    id = referral.id
    status = referral.status
    email = referral.friendEmail.flatMap(EmailAddress.init)
    externalSourceID = referral.externalSourceID.flatMap(ExternalSourceID.init)
    referrerIdentifier = referral.referrerIdentifier
    createdAt = referral.createdAt
    convertedAt = referral.convertedAt
    conversionValue = referral.conversionValue
    self.seenAt = seenAt
    openSeenAt = referral.status.isOpen ? seenAt : earlier?.openSeenAt
    expiredSeenAt = referral.status == .expired ? (earlier?.expiredSeenAt ?? seenAt) : nil
    // A converted referral goes on deciding by the friend's address, which no request changes: where it is erased, or
    // overwritten, the orders that it stands for would go to another referrer. Keys erased with it stay as well; alone,
    // a partner's identifier was moved to another referral.
    if status == .converted, let known = earlier?.email, email != known {
      email = known
      externalSourceID = externalSourceID ?? earlier?.externalSourceID
    }
  }

  /// Makes a mirrored referral as a ledger kept it.
  public init(
    id: ReferralID, status: ReferralStatus, email: EmailAddress?, externalSourceID: ExternalSourceID?,
    referrerIdentifier: String?, createdAt: Timestamp, convertedAt: Timestamp?, conversionValue: Int64?,
    seenAt: Timestamp, openSeenAt: Timestamp?, expiredSeenAt: Timestamp?, goneAt: Timestamp? = nil
  ) {
    self.id = id
    self.status = status
    self.email = email
    self.externalSourceID = externalSourceID
    self.referrerIdentifier = referrerIdentifier
    self.createdAt = createdAt
    self.convertedAt = convertedAt
    self.conversionValue = conversionValue
    self.seenAt = seenAt
    self.openSeenAt = openSeenAt
    self.expiredSeenAt = expiredSeenAt
    self.goneAt = goneAt
  }

  /// Returns true if an answer that was asked for at a time shows it open, although a later one has shown it closed. Two
  /// answers that overlapped may be stored in either order, and no referral opens again.
  public func isReopened(by answer: Referral, askedAt: Timestamp) -> Bool {
    !status.isOpen && answer.status.isOpen && seenAt > askedAt
  }

  /// True if orders must be decided again because of what changed since `earlier`: when it was seen doesn't count.
  public func matters(comparedWith earlier: MirroredReferral?) -> Bool {
    guard let earlier else { return true }
    return status != earlier.status || email != earlier.email || email?.written != earlier.email?.written
      || externalSourceID != earlier.externalSourceID
      || referrerIdentifier != earlier.referrerIdentifier || createdAt != earlier.createdAt
      || conversionValue != earlier.conversionValue || convertedAt != earlier.convertedAt || goneAt != earlier.goneAt
  }
}
