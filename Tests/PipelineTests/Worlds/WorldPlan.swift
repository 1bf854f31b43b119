import Conversions
import TestHosts

/// All that happens in one world, drawn from its seed: few friends, so that their referrals and orders meet.
struct WorldPlan: Sendable {
  /// An event, and its time from the beginning.
  struct Happening: Sendable, Hashable, CustomStringConvertible {
    var at: Duration
    var event: WorldEvent
    var description: String { "\(at) \(event)" }
  }

  let seed: UInt64
  let kinds: WorldKinds
  private(set) var rules: WorldRules
  var happenings: [Happening] = []
  private var generator: SeededGenerator
  private var referrals: [Int] = []
  private var clicked: [Int] = []
  private var rows: [(key: Int, id: String)] = []
  private var lastKey = 0
  /// The friend that a scene is mostly about.
  private var focus = (friend: "ana", lead: "lead_1")
  private var restarts = 0

  init(seed: UInt64, kinds: WorldKinds) {
    (self.seed, self.kinds) = (seed, kinds)
    var generator = SeededGenerator(scenario: seed)
    rules = Self.drawRules(&generator)
    self.generator = generator
    for _ in 0..<int(2...6) { addReferral(at: .zero, ages: Self.ages) }
    var at = Duration.seconds(int(20...40))
    for _ in 0..<int(3...5) {
      addScene(at: at)
      at += around([10, 40, 150, 1500, 4000, 30_000, 100_000, 200_000])
    }
    add(at, .search(nil))
    happenings.sort { $0.at < $1.at }
  }

  // MARK: Drawing

  private static let ages = [5, 60, 800, 1000, 5000, 20_000, 90_000, 500_000, 1_700_000, 3_500_000]

  private mutating func int(_ range: ClosedRange<Int>) -> Int { generator.int(range) }
  private mutating func chance(_ probability: Double) -> Bool { generator.chance(probability) }
  private mutating func pick<Value>(_ values: [Value]) -> Value {
    values[generator.int(0...values.count - 1)]
  }

  /// A duration of about one of these seconds.
  private mutating func around(_ seconds: [Int]) -> Duration { .milliseconds(pick(seconds) * int(500...1500)) }

  private mutating func add(_ at: Duration, _ event: WorldEvent) {
    guard event.kind.isEmpty || kinds.contains(event.kind) else { return }
    happenings.append(Happening(at: at, event: event))
  }

  private static func drawRules(_ generator: inout SeededGenerator) -> WorldRules {
    let keys: [[MatchingKey]] = [
      [.externalSourceID, .email], [.externalSourceID, .email], [.email, .externalSourceID], [.email],
    ]
    let holds = [0, 0, 0, 0, 20, 600, 86_400]
    return WorldRules(
      keys: keys[generator.int(0...keys.count - 1)], choose: generator.chance(0.7) ? .first : .last,
      window: day * [90, 90, 30, 10][generator.int(0...3)],
      hold: .seconds(holds[generator.int(0...holds.count - 1)]), reviewsSelf: generator.chance(0.8))
  }

  private mutating func email() -> String {
    let friend = chance(0.7) ? focus.friend : pick(["ana", "ana", "bob", "cleo"])
    return pick(["\(friend)@example.com", "\(friend)@example.com", " \(friend.uppercased())@Example.com "])
  }

  private mutating func external() -> String? {
    chance(0.6) ? focus.lead : pick(["lead_1", "lead_1", "lead_2", " lead_3", "Lead_1", nil])
  }

  // MARK: Events

  private mutating func addReferral(at: Duration, ages: [Int]) {
    let number = referrals.count
    let isClicked = chance(0.35)
    var referral = WorldReferral(
      number: number, age: around(ages), referrer: pick(["c1", "c2", "bob@example.com"]))
    referral.status = isClicked ? .clicked : .pending
    referral.email = isClicked ? nil : email()
    referral.external = chance(0.4) ? external() : nil
    referrals.append(number)
    if isClicked { clicked.append(number) }
    add(at, .refer(referral))
    if ages.count > 1, chance(0.12) { add(at, .convert(number)) }
  }

  /// A few seconds in which much happens.
  private mutating func addScene(at: Duration) {
    focus = (pick(["ana", "ana", "bob"]), pick(["lead_1", "lead_2"]))
    addOrder(at: at + .milliseconds(int(0...4000)))
    for _ in 0..<int(1...4) { addEvent(at: at + .milliseconds(int(0...9000))) }
  }

  private mutating func addOrder(at: Duration) {
    guard rows.count < 6 else { return }
    lastKey += 1
    let row = makeRow(key: lastKey, id: "order_\(lastKey)")
    rows.append((lastKey, row.id))
    let ago = Duration.seconds(pick([0, 0, 1, 30, 4000, 90_000]))
    add(at, .insert(row, placedAgo: ago))
    if chance(0.5) { addRace(at: at + .milliseconds(int(-4000...8000)), row) }
    // Makes more happen when its hold ends, as its outcome is decided then.
    guard rules.hold > ago else { return }
    let end = at + rules.hold - ago
    add(end, .watch)
    if chance(0.5) { addEvent(at: end + .milliseconds(int(-5000...3000))) }
  }

  /// Another referral becomes the order's while it is on its way.
  private mutating func addRace(at: Duration, _ row: WorldRow) {
    if let email = row.email, let number = clicked.first, chance(0.5) {
      clicked.removeFirst()
      return add(at, .register(number, email: email))
    }
    guard let external = row.external else { return }
    add(at, .patch(pick(referrals), external: external))
  }

  private mutating func makeRow(key: Int, id: String) -> WorldRow {
    WorldRow(
      key: key, id: id, email: chance(0.85) ? email() : nil, external: chance(0.4) ? external() : nil,
      cents: Int64(int(1...9999)), qualifies: chance(0.85))
  }

  private mutating func addEvent(at: Duration) {
    let weights: [(Int, (inout Self) -> Void)] = [
      (12, { $0.addOrder(at: at) }), (8, { $0.addReferral(at: at, ages: [0]) }),
      (16, { $0.patch(at) }), (14, { $0.register(at) }), (4, { $0.swap(at) }),
      (8, { $0.add(at, .convert($0.pick($0.referrals))) }), (5, { $0.add(at, .revert($0.pick($0.referrals))) }),
      (3, { $0.add(at, .expire($0.pick($0.referrals))) }), (3, { $0.add(at, .delete($0.pick($0.referrals))) }),
      (12, { $0.edit(at) }), (9, { $0.removeOrRemake(at) }), (6, { $0.restart(at) }), (8, { $0.act(at) }),
      (6, { $0.search(at) }),
    ]
    var drawn = int(0...weights.reduce(-1) { $0 + $1.0 })
    for (weight, draw) in weights {
      if drawn < weight { return draw(&self) }
      drawn -= weight
    }
  }

  private mutating func patch(_ at: Duration) { add(at, .patch(pick(referrals), external: external())) }

  private mutating func register(_ at: Duration) {
    guard let number = clicked.popLast() else { return patch(at) }
    add(at, .register(number, email: email()))
  }

  private mutating func swap(_ at: Duration) { add(at, .swap(pick(referrals), pick(referrals))) }

  private mutating func edit(_ at: Duration) {
    guard !rows.isEmpty else { return }
    let edits: [WorldEdit] = [
      .email(email()), .email(chance(0.2) ? nil : email()), .external(external()), .cents(Int64(int(1...9999))),
      .qualifies(true), .qualifies(chance(0.5)),
    ]
    add(at, .edit(row: pick(rows).key, pick(edits)))
  }

  private mutating func removeOrRemake(_ at: Duration) {
    guard !rows.isEmpty else { return }
    let index = int(0...rows.count - 1)
    let row = rows[index]
    switch int(0...2) {
    case 0: add(at, .remove(row: row.key))
    case 1:
      guard kinds.contains(.remake) else { return }
      lastKey += 1
      rows[index].key = lastKey
      add(at, .remake(row: row.key, as: makeRow(key: lastKey, id: row.id)))
    default:
      guard kinds.contains(.reuseKey) else { return }
      rows[index].id += "b"
      add(at, .remake(row: row.key, as: makeRow(key: row.key, id: rows[index].id)))
    }
  }

  private mutating func restart(_ at: Duration) {
    guard restarts < 2, kinds.contains(.restart) else { return }
    restarts += 1
    if chance(0.6) { rules = Self.drawRules(&generator) }
    add(at, .restart(rules, down: .seconds(pick([0, 1, 5, 40, 3000, 90_000]))))
  }

  private mutating func act(_ at: Duration) {
    guard !rows.isEmpty else { return }
    add(at, .act(pick([.discard, .discard, .hold, .release]), order: pick(rows).id))
  }

  private mutating func search(_ at: Duration) {
    let faults: [WorldSearch?] = [
      .leavesOut(pick(referrals)), .leavesOut(pick(referrals)), .showsNothing, .drowns, .status(400), .status(500),
      .slow(.seconds(5)), nil,
    ]
    add(at, .search(pick(faults)))
  }
}
