/// A query of the list endpoint (API reference, List referrals). Nil is left out of the request.
public struct ReferralQuery: Hashable, Sendable {
  /// The largest page that the API gives.
  public static let pageSizeMax = 100

  /// The longest text that is searched for, in characters (API reference, List referrals: max 256 chars).
  public static let searchMax = 256

  /// The only status to list.
  public var status: ReferralStatus?
  /// The e-mail of the only referrer to list, exactly.
  public var referrerEmail: String?
  /// The earliest time of making, itself included; sent in milliseconds.
  public var dateFrom: Timestamp?
  /// The latest time of making, itself included; sent in milliseconds.
  public var dateTo: Timestamp?
  /// The free text to search for, at most 256 characters.
  public var search: String?
  /// The order of the list.
  public var sortBy: SortKey?
  /// Its direction.
  public var sortOrder: SortOrder?
  /// The number of the page, from 1.
  public var page: Int?
  /// The size of the page, from 1 to 100.
  public var pageSize: Int?

  /// The values that lists can be sorted by.
  public enum SortKey: String, Sendable, CaseIterable {
    /// The time at which it was made.
    case createdAt
    /// The time at which it was converted.
    case convertedAt
    /// The reported value.
    case conversionValue
  }

  /// The direction of a list.
  public enum SortOrder: String, Sendable, CaseIterable {
    /// Smallest first.
    case ascending = "asc"
    /// Largest first.
    case descending = "desc"
  }

  /// Asks for everything, in the API's own order and page size.
  public init() {}
}

/// One page of the list.
public struct ReferralPage: Hashable, Sendable {
  /// The referrals, in the order of the answer.
  public var referrals: [Referral]
  /// The referrals that can't be read, and take no part.
  public var unreadable: [UnreadableReferral]
  /// The page's number, from 1.
  public var page: Int
  /// The number of referrals that a page holds.
  public var pageSize: Int
  /// The number of referrals in all.
  public var total: Int

  /// Makes a page from its values.
  public init(
    referrals: [Referral], unreadable: [UnreadableReferral] = [], page: Int, pageSize: Int, total: Int
  ) {
    self.referrals = referrals
    self.unreadable = unreadable
    self.page = page
    self.pageSize = pageSize
    self.total = total
  }
}
