/// One referral of a page that is not what the reference promises: a field of another type, an unknown status.
public struct UnreadableReferral: Hashable, Sendable {
  /// How many readable ones stand before it.
  public var place: Int
  /// Its ID, where that can be read.
  public var id: ReferralID?
  /// When it was made, where that can be read.
  public var createdAt: Timestamp?
  /// Which field, and what is wrong with it; never the field's value.
  public var fault: String

  /// A referral that can't be read, as far as it can.
  public init(place: Int, id: ReferralID?, createdAt: Timestamp?, fault: String) {
    self.place = place
    self.id = id
    self.createdAt = createdAt
    self.fault = fault
  }
}

extension ReferralPage {
  /// How many referrals it shows, readable or not.
  public var count: Int { referrals.count + unreadable.count }

  /// The IDs of all that it shows; those that have none that can be read share one that no referral has.
  public var ids: [ReferralID] { referrals.map(\.id) + unreadable.map { $0.id ?? ReferralID("") } }

  /// When those were made that it shows, in their order, where that can be read.
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
