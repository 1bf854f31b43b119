import Conversions

/// A way in which `search=` fails: the reference promises nothing of it.
enum SearchFault: Sendable, Hashable {
  /// Shows all but some, and counts them out.
  case leavesOut(Set<ReferralID>)
  /// Shows none, and says that there is none.
  case showsNothing
  /// Shows none of many, as a word that many referrals hold has more hits than a page.
  case drowns
  /// Answered so.
  case status(Int)
  /// Answers after a while.
  case slow(Duration)

  private static let crowd = (0..<100).map {
    Referral(
      id: ReferralID("crowd_\($0)"), status: .pending, friendEmail: "crowd\($0)@example.net", createdAt: start - day)
  }

  func distort(_ page: ReferralPage) -> ReferralPage {
    var page = page
    switch self {
    case .leavesOut(let hidden):
      let before = page.referrals.count
      page.referrals.removeAll { hidden.contains($0.id) }
      page.total -= before - page.referrals.count
    case .showsNothing: (page.referrals, page.total) = ([], 0)
    case .drowns: (page.referrals, page.total) = (Self.crowd, Self.crowd.count + page.total)
    case .status, .slow: break
    }
    return page
  }
}
