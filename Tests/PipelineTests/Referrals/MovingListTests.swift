import Conversions
import TestHosts
import Testing

@testable import Pipeline

/// 20,000 referrals, of which two change in each second of the time that reading them takes.
@Suite(.timeLimit(.minutes(5))) struct MovingListTests {
  private static let count = 20_000
  /// The time that one page takes, at half of 120 reads a minute.
  private static let pageTime = Duration.seconds(1)
  private static let changesPerSecond = 2

  /// A list, what a reader was last shown of each referral, and what has become of each.
  private struct Simulation {
    var list: MovingList
    var chance: SeededGenerator
    /// The version of each referral: how often it has changed.
    var versions = [Int](repeating: 0, count: MovingListTests.count)
    var shown = [Int](repeating: -1, count: MovingListTests.count)
    /// The page at which each changed last and was shown last.
    var changedAt = [Int](repeating: 0, count: MovingListTests.count)
    var shownAt = [Int](repeating: -1, count: MovingListTests.count)
    var time = 0
    var changes = 0

    init(seed: UInt64) {
      chance = SeededGenerator(scenario: seed)
      var referrals: [Referral] = []
      for number in 0..<MovingListTests.count {
        // An import of 250 at one instant in each thousand; the others some seconds apart.
        let instant = number % 1000 < 250 ? number - number % 1000 : number
        let status: ReferralStatus = number % 10 < 4 ? .clicked : number % 10 < 9 ? .pending : .converted
        referrals.append(
          makeReferral("r\(number)", status, email: nil, created: start - day * 30 + .milliseconds(instant * 97)))
      }
      list = MovingList(referrals)
    }

    /// Changes referrals as it happens while one page is read.
    mutating func passPage() {
      time += 1
      for _ in 0..<Int(MovingListTests.pageTime.inSeconds) * MovingListTests.changesPerSecond { move() }
    }

    private mutating func move() {
      let index = chance.int(0...(MovingListTests.count - 1))
      let referral = list.referrals[index]
      switch (referral.status, chance.int(0...9)) {
      case (.clicked, 0...3): list.change(index) { $0.friendEmail = "friend\(index)@example.com" }
      case (.clicked, 4...8): list.set(index, .pending)
      case (.clicked, _), (.pending, 8...9): list.set(index, .expired)
      case (.pending, 0...4): list.set(index, .converted)
      default: list.change(index) { $0.externalSourceID = "lead_\(index)_\(time)" }
      }
      versions[index] += 1
      changedAt[index] = time
      changes += 1
    }

    mutating func show(_ indices: [Int]) {
      for index in indices { (shown[index], shownAt[index]) = (versions[index], time) }
    }

    mutating func page(_ query: ReferralQuery) -> ReferralPage {
      let (indices, total) = list.page(query)
      show(indices)
      let page = ReferralPage(
        referrals: indices.map { list.referrals[$0] }, page: query.page ?? 1, pageSize: 100, total: total)
      passPage()
      return page
    }

    /// Those that were there all the time since `began`, and that no page has shown since; and those of which the last
    /// change before `began` is not known.
    func missed(since began: Int) -> (referrals: Int, changes: Int) {
      var (referrals, changes) = (0, 0)
      for index in shownAt.indices {
        if shownAt[index] < began { referrals += 1 }
        if changedAt[index] < began, shown[index] != versions[index] { changes += 1 }
      }
      return (referrals, changes)
    }
  }

  @Test func keysetWalksMissNothingAndOffsetsDo() {
    var simulation = Simulation(seed: 5)
    var (pages, missed, missedChanges) = (0, 0, 0)
    for _ in 0..<20 {
      let began = simulation.time
      for status in ReferralWalk.statuses {
        var walk = ReferralWalk(status: status)
        var query = walk.first
        walking: while true {
          pages += 1
          switch walk.advance(simulation.page(query)) {
          case .ask(let next): query = next
          case .done: break walking
          case .distrust(let fault):
            Issue.record("\(fault)")
            return
          }
        }
      }
      let found = simulation.missed(since: began)
      missed += found.referrals
      missedChanges += found.changes
    }
    let naive = naivelyMissed(seed: 5, sweeps: 20)
    print(
      "keyset: 20 sweeps of \(Self.count) referrals, \(pages) pages, \(simulation.changes) changes: "
        + "\(missed) referrals and \(missedChanges) changes missed; "
        + "offsets: \(naive.reduce(0, +)) pending referrals missed, in \(naive.count { $0 > 0 }) of 20 sweeps")
    #expect(missed == 0 && missedChanges == 0)
    #expect(naive.reduce(0, +) > 0)
  }

  /// Pages 1, 2, 3 ... of the pending ones: how many that were pending throughout each sweep did not show.
  private func naivelyMissed(seed: UInt64, sweeps: Int) -> [Int] {
    var simulation = Simulation(seed: seed)
    return (0..<sweeps).map { _ in
      let began = simulation.time
      var pending = Set(simulation.list.referrals.indices.filter { simulation.list.referrals[$0].status == .pending })
      var query = ReferralQuery()
      (query.status, query.pageSize, query.sortBy, query.sortOrder, query.page) = (
        .pending, 100, .createdAt, .ascending, 1
      )
      while simulation.page(query).referrals.count == 100 { query.page = (query.page ?? 1) + 1 }
      pending = pending.filter { simulation.list.referrals[$0].status == .pending }
      return pending.count { simulation.shownAt[$0] < began }
    }
  }
}
