import Conversions
import Postgres

/// The rows that one transaction fetched of a range, before they are sorted: that takes as long again, and meanwhile
/// neither the connection nor the snapshot, which holds back the shop's vacuum, need wait.
struct FetchedSweep: Sendable {
  /// The page as far as it is known without a look at its rows.
  private(set) var page: SweepPage
  private let rows: (PostgresRows, RowScreen)?
  private let nullKeysWarning: String

  /// A page whose rows are not sorted yet.
  init(_ page: SweepPage, _ rows: PostgresRows, _ screening: RowScreen, _ mapping: OrderMapping) {
    self.page = page
    self.rows = (rows, screening)
    nullKeysWarning = mapping.nullKeysWarning
  }

  /// A page whose rows are sorted.
  init(_ page: SweepPage, _ sorted: RowScreen.Sorted, _ mapping: OrderMapping) {
    self.page = page
    rows = nil
    nullKeysWarning = mapping.nullKeysWarning
    take(sorted)
  }

  /// A page that is complete.
  init(_ page: SweepPage) {
    self.page = page
    rows = nil
    nullKeysWarning = ""
  }

  /// The page with its orders.
  ///
  /// - Throws: `PostgresError` of kind `data` for bytes that are no text.
  @concurrent func sorted() async throws -> SweepPage {
    guard let (rows, screening) = rows else { return page }
    var fetched = self
    fetched.take(try screening.sorted(rows))
    return fetched.page
  }

  private mutating func take(_ sorted: RowScreen.Sorted) {
    (page.orders, page.counted, page.placedLatest) = (sorted.orders, sorted.counted, sorted.placedLatest)
    page.passedOver = sorted.passedOver
    if sorted.hasNullKeys { page.warnings = [nullKeysWarning] }
  }
}
