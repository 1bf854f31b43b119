import Conversions
import Synchronization

@testable import Ledger

/// A rule that a proof takes away, to see that the oracle finds its absence.
enum Mutation: CaseIterable, Sendable {
  /// Every question before a send is answered by what the walks have shown.
  case noQuestion
  /// A referral that a search leaves out is taken for changed.
  case omissionBelieved
  /// A row's new keys are not taken in.
  case editsNotDecidedAnew
  /// An operator's act does not outlast a restart.
  case discardForgotten
  /// A row is the order that it was when its key was first seen.
  case keyTakenForOrder
}

extension RandomWorld {
  func mutated(_ partners: SimulatedPartners) -> any PartnersService {
    switch without {
    case .noQuestion, .omissionBelieved: MutatedPartners(base: partners, believes: without == .omissionBelieved)
    default: partners
    }
  }

  func mutated(_ orders: SimulatedShop) -> any OrderSource {
    switch without {
    case .editsNotDecidedAnew, .keyTakenForOrder:
      MutatedShop(base: orders, first: firstRows, takesKey: without == .keyTakenForOrder)
    default: orders
    }
  }

  static func forgetActs(_ store: SimulatedLedger) async throws {
    try await store.transaction { try ($0 as? SQLiteTransaction)?.execute("DELETE FROM acts") }
  }
}

/// The API, but for what is asked before a send.
private final class MutatedPartners: PartnersService {
  private let base: SimulatedPartners
  private let believes: Bool
  private let walked = Mutex<[ReferralID: Referral]>([:])

  init(base: SimulatedPartners, believes: Bool) { (self.base, self.believes) = (base, believes) }

  func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage> {
    let answer = await base.list(query)
    guard !believes, case .success(let page, let head) = answer else { return answer }
    guard let text = query.search else {
      walked.withLock { walked in for referral in page.referrals { walked[referral.id] = referral } }
      return answer
    }
    let found = walked.withLock { walked in
      var table = ReferralTable()
      for referral in walked.values { table.put(referral) }
      var query = ReferralQuery()
      (query.search, query.pageSize) = (text, 100)
      return table.page(query)
    }
    return .success(found, head)
  }

  func referral(_ id: ReferralID) async -> APIAnswer<Referral> {
    let answer = await base.referral(id)
    guard case .success(var referral, let head) = answer else { return answer }
    guard believes else { return .success(walked.withLock { $0[id] } ?? referral, head) }
    if case .leavesOut(let hidden)? = base.api.model.state.withLock(\.searchFault), hidden.contains(id) {
      (referral.friendEmail, referral.externalSourceID) = (nil, nil)
    }
    return .success(referral, head)
  }

  func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt> { await base.create(draft) }
  func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void> { await base.update(id, change) }
  func reserveConversion() async throws -> SendPermit { try await base.reserveConversion() }
  func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt> {
    await base.convert(report, permit: permit)
  }
  func cancel(_ permit: SendPermit) async { await base.cancel(permit) }
}

/// The first that was seen of each order, or of each key.
final class FirstRows: Sendable {
  private let rows = Mutex<[String: Order]>([:])

  func first(_ name: String, _ order: Order) -> Order {
    rows.withLock { rows in
      let first = rows[name] ?? order
      rows[name] = first
      return first
    }
  }
}

/// The shop, but for what its rows become.
private struct MutatedShop: OrderSource {
  let base: SimulatedShop
  let first: FirstRows
  let takesKey: Bool

  private func mutated(_ row: OrderRow) -> OrderRow {
    guard case .readable(var order) = row else { return row }
    if takesKey {
      order.transactionID = first.first(order.key.text, order).transactionID
    } else {
      let known = first.first(order.transactionID.text, order)
      (order.email, order.externalSourceID) = (known.email, known.externalSourceID)
    }
    return .readable(order)
  }

  func survey() async throws -> ShopSurvey { try await base.survey() }

  func sweep(_ piece: SweepPiece, of survey: ShopSurvey, screen: OrderScreen) async throws -> SweepPage {
    var page = try await base.sweep(piece, of: survey, screen: screen)
    page.orders = page.orders.map { SeenOrder(mutated($0.row), isCovered: $0.isCovered) }
    return page
  }

  func recent(after position: String?, of survey: ShopSurvey, screen: OrderScreen) async throws -> RecentPage {
    try await base.recent(after: position, of: survey, screen: screen)
  }

  func orders(withKeys keys: [OrderKey]) async throws -> [OrderKey: RowSighting] {
    let sightings = try await base.orders(withKeys: keys)
    guard takesKey else { return sightings }
    return sightings.mapValues { sighting in
      if case .shown(let row) = sighting { .shown(mutated(row)) } else { sighting }
    }
  }

  func change() async throws { try await base.change() }
}
