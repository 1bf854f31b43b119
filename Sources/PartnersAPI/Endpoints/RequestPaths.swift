import Conversions

/// The paths of the five endpoints, below the base URL.
enum RequestPaths {
  /// Returns `/referrals`, with a query if there is one.
  static func list(_ query: ReferralQuery) -> String {
    let parameters: [(String, String?)] = [
      ("status", query.status?.rawValue),
      ("referrerEmail", query.referrerEmail),
      ("dateFrom", query.dateFrom.map { String($0.milliseconds) }),
      ("dateTo", query.dateTo.map { String($0.milliseconds) }),
      ("search", query.search),
      ("sortBy", query.sortBy?.rawValue),
      ("sortOrder", query.sortOrder?.rawValue),
      ("page", query.page.map(String.init)),
      ("pageSize", query.pageSize.map(String.init)),
    ]
    let pairs = parameters.compactMap { name, value in value.map { "\(name)=\(PercentEncoding.encoded($0))" } }
    return pairs.isEmpty ? "/referrals" : "/referrals?" + pairs.joined(separator: "&")
  }

  /// Returns `/referrals/{referralId}` and the suffix; nil for an ID that no URL can hold.
  static func referral(_ id: ReferralID, _ suffix: String = "") -> String? {
    guard id.fitsURL else { return nil }
    return "/referrals/\(PercentEncoding.encoded(id.text))\(suffix)"
  }
}
