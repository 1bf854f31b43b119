import Conversions
import TestHosts
import Testing

@testable import Pipeline

/// The walk over a list that moves while it is read.
@Suite(.timeLimit(.minutes(5))) struct ReferralWalkTests {
  private static let order: [ReferralStatus] = [.clicked, .pending, .converted, .expired]

  /// Sweeps by keyset walks and returns the referrals that they showed.
  private func sweep(_ table: inout ReferralTable, between: (inout ReferralTable) -> Void) -> (
    shown: Set<ReferralID>, fault: String?
  ) {
    var shown: Set<ReferralID> = []
    for status in Self.order {
      var walk = ReferralWalk(status: status)
      var query = walk.first
      walking: while true {
        let page = table.page(query)
        shown.formUnion(page.referrals.map(\.id))
        between(&table)
        switch walk.advance(page) {
        case .ask(let next): query = next
        case .done: break walking
        case .distrust(let fault): return (shown, fault)
        }
      }
    }
    return (shown, nil)
  }

  /// Sweeps by the usual first attempt: page 1, 2, 3 ... of each status.
  private func naiveSweep(_ table: inout ReferralTable, between: (inout ReferralTable) -> Void) -> Set<ReferralID> {
    var shown: Set<ReferralID> = []
    for status in Self.order {
      var query = ReferralQuery()
      (query.status, query.pageSize, query.sortBy, query.sortOrder) = (status, 100, .createdAt, .ascending)
      var number = 1
      while true {
        query.page = number
        let page = table.page(query)
        shown.formUnion(page.referrals.map(\.id))
        between(&table)
        if page.referrals.count < 100 { break }
        number += 1
      }
    }
    return shown
  }

  /// Between two pages a few referrals move on in life, and a few are made.
  private func move(_ table: inout ReferralTable, _ chance: inout SeededGenerator, number: inout Int) {
    let ids = table.referrals.keys.sorted()
    for _ in 0..<chance.int(0...12) {
      guard let id = ids.randomElement(using: &chance), var referral = table.referrals[id] else { continue }
      switch referral.status {
      case .clicked: referral.status = chance.chance(0.8) ? .pending : .expired
      case .pending: referral.status = chance.chance(0.8) ? .converted : .expired
      case .converted, .expired: continue
      }
      table.put(referral)
    }
    for _ in 0..<chance.int(0...2) {
      number += 1
      table.put(makeReferral("new\(number)", .clicked, email: nil, created: start + .milliseconds(number)))
    }
  }

  private func makeTable(_ chance: inout SeededGenerator) -> ReferralTable {
    var table = ReferralTable()
    let statuses: [ReferralStatus] = [.clicked, .pending, .pending, .pending, .converted, .expired]
    var count = 0
    func add(_ many: Int, at created: Timestamp, _ status: ReferralStatus?) {
      for _ in 0..<many {
        count += 1
        let status = status ?? statuses.randomElement(using: &chance) ?? .pending
        table.put(makeReferral("r\(count)", status, email: nil, created: created))
      }
    }
    for _ in 0..<chance.int(50...400) { add(1, at: start - .milliseconds(chance.int(0...100_000)), nil) }
    // Imports, which share one createdAt: more than a page, and exactly one and two of them.
    let sizes = [0, 99, 100, 101, 200, 250]
    for _ in 0..<2 {
      let size = sizes.randomElement(using: &chance) ?? 0
      add(size, at: start - .milliseconds(chance.int(0...100_000)), chance.chance(0.5) ? .pending : nil)
    }
    return table
  }

  private func missed(seed: UInt64, naively: Bool) -> Int {
    var chance = SeededGenerator(scenario: seed)
    var table = makeTable(&chance)
    let before = Set(table.referrals.keys)
    var number = 0
    if naively {
      return before.subtracting(naiveSweep(&table) { move(&$0, &chance, number: &number) }).count
    }
    let (shown, fault) = sweep(&table) { move(&$0, &chance, number: &number) }
    #expect(fault == nil, "seed \(seed)")
    return before.subtracting(shown).count
  }

  @Test func aMovingListHidesNobody() {
    for seed in 1...200 { #expect(missed(seed: UInt64(seed), naively: false) == 0, "seed \(seed)") }
  }

  @Test func pagingByOffsetsMissesSome() {
    // The model moves enough for the test above to fail: the naive walk does.
    let missed = (1...200).map { self.missed(seed: UInt64($0), naively: true) }
    #expect(missed.reduce(0, +) > 100)
    #expect(missed.count { $0 > 0 } > 20)
  }

  @Test(arguments: [99, 100, 101, 199, 200, 201, 1000])
  func anInstantThatFillsPagesIsPagedThrough(size: Int) {
    var table = ReferralTable()
    for number in 0..<size { table.put(makeReferral("same\(number)", email: nil, created: start)) }
    table.put(makeReferral("before", email: nil, created: start - .milliseconds(1)))
    table.put(makeReferral("after", email: nil, created: start + .milliseconds(1)))
    let (shown, fault) = sweep(&table) { _ in }
    #expect(fault == nil)
    #expect(shown == Set(table.referrals.keys))
  }

  @Test(arguments: ReferralTable.Lie.allCases.filter { $0 != .endless })
  func aLieEndsTheWalkAndNeverHidesInSilence(lie: ReferralTable.Lie) {
    var chance = SeededGenerator(scenario: 7)
    for size in [3, 130, 420] {
      var table = ReferralTable()
      table.lie = lie
      for number in 0..<size {
        let status: ReferralStatus = chance.chance(0.7) ? .pending : .converted
        // Some share a millisecond, also across the boundaries of pages.
        table.put(makeReferral("r\(number)", status, email: nil, created: start - .milliseconds(number / 3)))
      }
      let (shown, fault) = sweep(&table) { _ in }
      #expect(fault != nil || shown == Set(table.referrals.keys), "\(lie), \(size)")
    }
  }

  @Test func aSmallerPageThanAskedForIsNoEnd() {
    var table = ReferralTable()
    table.lie = .smallPages
    for number in 0..<130 {
      table.put(makeReferral("r\(number)", email: nil, created: start - .milliseconds(number / 40)))
    }
    let (shown, fault) = sweep(&table) { _ in }
    #expect(fault == nil && shown.count == 130, "the server's own page size is as good as ours")
  }

  @Test func aWalkThatGoesInCirclesEnds() {
    var table = ReferralTable()
    table.lie = .endless
    var walk = ReferralWalk(status: .pending)
    var query = walk.first
    var pages = 0
    while true {
      pages += 1
      guard case .ask(let next) = walk.advance(table.page(query)) else { break }
      query = next
    }
    #expect(pages <= 300)
  }

  @Test func anImportDuringAWalkIsNoEndlessList() {
    var table = ReferralTable()
    func add(_ count: Int, _ name: String, _ first: Timestamp) {
      for number in 0..<count {
        table.put(makeReferral("\(name)\(number)", email: nil, created: first + .milliseconds(number)))
      }
    }
    add(3000, "r", start - day)
    var walk = ReferralWalk(status: .pending)
    var query = walk.first
    var (pages, shown) = (0, Set<ReferralID>())
    walking: while true {
      let page = table.page(query)
      shown.formUnion(page.referrals.map(\.id))
      pages += 1
      if pages == 10 { add(9000, "imported", start) }
      switch walk.advance(page) {
      case .ask(let next): query = next
      case .done: break walking
      case .distrust(let fault):
        Issue.record("\(fault)")
        break walking
      }
    }
    #expect(shown.count == 12_000)
  }

  /// An instant of 250 referrals, one of which, shown already, is deleted between two of its pages.
  @Test func anInstantThatMovesIsReadAgain() {
    var table = ReferralTable()
    for number in 0..<250 { table.put(makeReferral(String(1000 + number), email: nil, created: start)) }
    var paging = InstantPaging(at: start, mustShow: true)
    var query = paging.first
    var (pages, shown) = (0, Set<ReferralID>())
    while true {
      let page = table.page(query)
      shown.formUnion(page.referrals.map(\.id))
      pages += 1
      if pages == 1 { table.remove(ReferralID("1000")) }
      guard case .ask(let next) = paging.advance(page) else { break }
      query = next
    }
    #expect(shown.count == 250, "the second pass shows whom the shift hid from the first")
    #expect(pages == 9, "two passes that agree, after one that didn't")
  }

  @Test func anInstantThatNeverAgreesWithItselfIsDistrusted() {
    var table = ReferralTable()
    for number in 0..<250 { table.put(makeReferral(String(1000 + number), email: nil, created: start)) }
    var paging = InstantPaging(at: start, mustShow: true)
    var query = paging.first
    for pages in 0..<100 {
      table.put(makeReferral("more\(pages)", email: nil, created: start))
      let step = paging.advance(table.page(query))
      guard case .ask(let next) = step else {
        guard case .distrust = step else { Issue.record("\(step)"); return }
        return
      }
      query = next
    }
    Issue.record("no end")
  }
}
