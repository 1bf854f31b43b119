import Conversions
import Ledger
import LoopFixtures
import Synchronization
import Testing

@testable import Pipeline

extension Loops {
  /// A list that is not what the reference says: told once, read all the same, and trusted again when it is mended.
  @Suite(.timeLimit(.minutes(5))) struct SafeModeTests {
    private func progress(_ world: World) async throws -> MirrorProgress {
      try await world.ledger.base.transaction { try $0.mirrorProgress() }
    }

    private func known(_ world: World) async throws -> Int {
      try await world.ledger.base.transaction { try $0.referralCounts().values.reduce(0, +) }
    }

    /// 150 referrals some minutes apart, and an import of 130 at one instant.
    private func world(lie: ReferralTable.Lie?, wait: Duration = day * 14) throws -> World {
      let world = try World(rules: makeRules(wait: wait))
      world.api.state.withLock { $0.table.lie = lie }
      for number in 0..<150 {
        var referral = makeReferral(
          "r\(number)", number < 140 ? .pending : .converted, email: nil, created: start - .seconds(number * 300))
        if referral.status == .converted { referral.convertedAt = start - .seconds(number * 200) }
        world.api.put(referral)
      }
      for number in 0..<130 { world.api.put(makeReferral("import\(number)", email: nil, created: start - day * 3)) }
      return world
    }

    @Test(arguments: [
      ReferralTable.Lie.unsorted, .ignoresStatus, .ignoresDateFrom, .ignoresDateTo, .exclusiveDateFrom, .emptyPages,
      .repeatsPages, .smallTotal, .overfullPages,
    ])
    func aLieIsToldOnceAndNothingRestsOnIt(lie: ReferralTable.Lie) async throws {
      let world = try world(lie: lie)
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(120)) { try await progress(world).distrust != nil }
        try await world.pass(.seconds(400))
        #expect(try await progress(world).completeSweepBeganAt == nil)
        #expect(world.lines.of(.mirrorDistrusted).count == 1 && world.lines.of(.mirrorTrusted).isEmpty)
        // Expects all that can be read to be taken in; only pages that can't be counted hide a part of the import.
        let expected = lie == .emptyPages ? 0 : lie == .repeatsPages ? 250 : 280
        #expect(try await known(world) >= expected, "\(lie)")
        world.api.state.withLock { $0.table.lie = nil }
        try await world.reaches(within: .seconds(3 * 3600)) { try await progress(world).completeSweepBeganAt != nil }
        #expect(try await progress(world).distrust == nil)
        #expect(try await known(world) == 280)
        #expect(world.lines.of(.mirrorDistrusted).count == 1 && world.lines.of(.mirrorTrusted).count == 1)
      }
    }

    @Test func aListWithoutAnEndEnds() async throws {
      let world = try world(lie: .endless)
      try await world.mirror.sweep()
      #expect(try await progress(world).distrust?.contains("no end") == true)
      #expect(world.api.state.withLock { $0.queries.count } < 2500, "four walks, and one in safe mode")
    }

    @Test func aListThatBreaksLaterIsNoticedByTheNextWalkThatMeetsIt() async throws {
      let world = try world(lie: nil)
      try await world.mirror.sweep()
      let complete = try await progress(world).completeSweepBeganAt
      world.api.state.withLock { $0.table.lie = .ignoresDateFrom }
      try await world.running([world.mirror]) {
        try await world.reaches(within: .seconds(40)) { try await progress(world).distrust != nil }
        // Expects a referral that is made meanwhile to be found.
        world.api.put(makeReferral("new", email: "new@example.com", created: world.clock.now))
        try await world.reaches(within: .seconds(1200)) { try await known(world) == 281 }
        try await world.pass(.seconds(900))
        #expect(try await progress(world).completeSweepBeganAt == complete)
        #expect(world.lines.of(.mirrorDistrusted).count == 1 && world.lines.of(.mirrorTrusted).isEmpty)
      }
    }

    @Test func nobodyIsWithoutAReferralWhileTheListIsDistrusted() async throws {
      // The sweep before the distrust began after the order was seen, and still nothing is concluded from it.
      let world = try world(lie: nil, wait: .seconds(3600))
      try await world.take([.readable(makeOrder(1, placed: start - .seconds(3000)))])
      world.clock.advance(to: world.clock.uptime + .seconds(1))
      try await world.mirror.sweep()
      world.api.state.withLock { $0.table.lie = .ignoresDateFrom }
      try await world.running([world.mirror, world.matching]) {
        try await world.reaches(within: .seconds(500)) { try await progress(world).distrust != nil }
        try await world.pass(.seconds(900))
        #expect(try await world.order(1)?.reason == DecisionReason.mirrorIncomplete)
        world.api.state.withLock { $0.table.lie = nil }
        try await world.reaches(within: .seconds(3 * 3600)) { try await world.counts()[.noReferral] == 1 }
      }
    }
  }
}

/// The safe mode's walk by itself.
@Suite(.timeLimit(.minutes(5))) struct WindowWalkTests {
  private func walk(_ table: ReferralTable, from: Timestamp? = nil) -> (shown: Set<ReferralID>, pages: Int) {
    var walk = WindowWalk(from: from, now: start, known: table.referrals.count)
    var (query, shown, pages) = (walk.first, Set<ReferralID>(), 0)
    while true {
      let page = table.page(query)
      shown.formUnion(page.referrals.map(\.id))
      pages += 1
      guard case .ask(let next) = walk.advance(page) else { return (shown, pages) }
      query = next
    }
  }

  private static let readable: [ReferralTable.Lie?] = [
    nil, .unsorted, .ignoresStatus, .ignoresDateFrom, .ignoresDateTo, .repeatsPages, .exclusiveDateFrom, .smallPages,
    .overfullPages, .smallTotal,
  ]

  @Test(arguments: readable)
  func whateverTheLieEverythingIsShown(lie: ReferralTable.Lie?) {
    for size in [0, 3, 130, 420] {
      var table = ReferralTable()
      table.lie = lie
      for number in 0..<size {
        let status = ReferralWalk.statuses[number % 4]
        table.put(makeReferral("r\(number)", status, email: nil, created: start - .seconds(number * 97)))
      }
      let (shown, pages) = walk(table)
      #expect(shown.count == size && pages < 300, "\(String(describing: lie)), \(size), \(pages)")
    }
  }

  @Test func anImportOfOneInstantIsPagedThrough() {
    var table = ReferralTable()
    for number in 0..<730 { table.put(makeReferral("r\(number)", email: nil, created: start - day)) }
    #expect(walk(table).shown.count == 730)
  }

  @Test(arguments: [ReferralTable.Lie?.none, .ignoresDateFrom])
  func theYoungAreReadAlone(lie: ReferralTable.Lie?) {
    var table = ReferralTable()
    table.lie = lie
    for number in 0..<2000 { table.put(makeReferral("r\(number)", email: nil, created: start - .seconds(number * 60))) }
    let (shown, pages) = walk(table, from: start - .seconds(900))
    #expect((0..<15).allSatisfy { shown.contains(ReferralID("r\($0)")) } && pages <= 10)
  }

  @Test(arguments: [ReferralTable.Lie.endless, .emptyPages])
  func itEndsWhateverIsShown(lie: ReferralTable.Lie) {
    var table = ReferralTable()
    table.lie = lie
    for number in 0..<200 { table.put(makeReferral("r\(number)", email: nil, created: start - .seconds(number * 60))) }
    #expect(walk(table).pages <= 600)
  }
}
