/// One referral of a page that is not what the reference promises: a field of another type, an unknown status.
public struct UnreadableReferral: Hashable, Sendable, ShownKeys {
  /// The number of readable ones that stand before it.
  public var place: Int
  /// Its ID, where that can be read.
  public var id: ReferralID?
  /// The time at which it was made, where that can be read.
  public var createdAt: Timestamp?
  /// The field that is wrong, and its fault; never the field's value.
  public var fault: String
  /// The friend's address as the API shows it, where that can be read.
  public var friendEmail: String?
  /// The partner's identifier as the API shows it, where that can be read.
  public var externalSourceID: String?

  /// Makes an unreadable referral from what can be read of it.
  public init(
    place: Int, id: ReferralID?, createdAt: Timestamp?, fault: String, friendEmail: String? = nil,
    externalSourceID: String? = nil
  ) {
    self.place = place
    self.id = id
    self.createdAt = createdAt
    self.fault = fault
    (self.friendEmail, self.externalSourceID) = (friendEmail, externalSourceID)
  }
}

extension ReferralPage {
  /// The number of referrals that it shows, readable or not.
  public var count: Int { referrals.count + unreadable.count }

  /// The IDs of all that it shows; those that have none that can be read share one that no referral has.
  public var ids: [ReferralID] { referrals.map(\.id) + unreadable.map { $0.id ?? ReferralID("") } }

  /// The times at which those were made that it shows, in their order, where that can be read.
  public var creations: [Timestamp] {
    guard !unreadable.isEmpty else { return referrals.map(\.createdAt) }
    var times: [Timestamp] = []
    var rest = unreadable[...]
    for (place, referral) in referrals.enumerated() {
      while let next = rest.first, next.place <= place {
        if let time = next.createdAt { times.append(time) }
        rest.removeFirst()
      }
      times.append(referral.createdAt)
    }
    return times + rest.compactMap(\.createdAt)
  }
}

/// The keys of a referral as the API shows them, of one that can't be read among them.
public protocol ShownKeys {
  /// The friend's address as shown.
  var friendEmail: String? { get }
  /// The partner's identifier as shown.
  var externalSourceID: String? { get }
}

extension Referral: ShownKeys {}

extension ShownKeys {
  /// Returns true if it holds a key of an order, by a text in normal form.
  public func holds(_ key: MatchingKey, _ text: String) -> Bool {
    switch key {
    case .email: friendEmail.flatMap(EmailAddress.init)?.text == text
    case .externalSourceID: externalSourceID.flatMap(ExternalSourceID.init)?.text == text
    }
  }
}
