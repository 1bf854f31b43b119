import Conversions
import Synchronization
import TestHosts

@testable import Pipeline

/// The events of one simulated day, drawn from its seed before it begins.
struct SimulationPlan: Sendable {
  /// The kinds of things that happen.
  enum Event: Sendable {
    case shop(@Sendable (ModelShop, Timestamp) -> Void)
    case api(@Sendable (SimulatedAPI) -> Void)
    case disk(@Sendable (SimulatedDisk) -> Void)
    /// The host's clock is set.
    case clock(Duration)
    /// An operator accepts the host's clock as it is.
    case acceptClock
    case crash(isPowerLoss: Bool)
  }

  /// An event, and its time from the beginning.
  struct Happening: Sendable {
    let at: Duration
    let what: Event
  }

  /// The number of quarters of an hour for which what is still open is waited for when everything works again.
  static let patience = 16
  /// The time for which everything goes on, faults and all.
  private static let busy = Duration.seconds(1200)
  /// The time within which all of it is over, mostly.
  private static let calm = Duration.seconds(1500)

  let shape: LimiterShape
  let replays: Bool
  let faultChance: Double
  let hold: Duration
  let choose: AttributionRules.Choice
  private(set) var happenings: [Happening] = []
  private(set) var friends: [SimulatedFriend] = []
  /// True if the API sends its Date; without one only the host's clock tells the time.
  let apiTellsTime: Bool
  private var generator: SeededGenerator

  var end: Duration { VirtualClock().uptime + Self.busy + Self.calm }

  init(seed: UInt64) {
    generator = SeededGenerator(scenario: seed)
    shape = LimiterShape.allCases.randomElement(using: &generator) ?? .slidingLog
    replays = generator.chance(0.5)
    faultChance = [0, 0.1, 0.3].randomElement(using: &generator) ?? 0
    hold = generator.chance(0.2) ? .seconds(300) : .zero
    choose = generator.chance(0.5) ? .first : .last
    apiTellsTime = generator.chance(0.7)
    for number in 0..<generator.int(4...14) { addFriend(number) }
    addOutages()
    addCrashes()
    addJumps()
    add(Self.busy, .api { api in api.state.withLock { ($0.faultChance, $0.outage) = (0, nil) } })
    add(Self.busy, .api { api in api.model.state.withLock { $0.chance = nil } })
    add(Self.busy, .shop { shop, _ in shop.state.withLock { $0.outage = nil } })
    add(Self.busy, .disk { $0.work() })
  }

  private mutating func add(_ at: Duration, _ what: Event) { happenings.append(Happening(at: at, what: what)) }

  private mutating func moment(after earliest: Duration = .zero) -> Duration {
    let first = Int(earliest.components.seconds)
    let last = Int(Self.busy.components.seconds)
    guard first < last else { return .seconds(last) }
    return .seconds(generator.int(first...last)) + .milliseconds(generator.int(0...999))
  }

  // MARK: The shop and its friends

  private mutating func addFriend(_ number: Int) {
    var friend = SimulatedFriend(number: number)
    for _ in 0..<generator.int(0...2) { addReferral(of: &friend) }
    for _ in 0..<generator.int(1...3) { addOrder(of: &friend) }
    friends.append(friend)
  }

  private mutating func addReferral(of friend: inout SimulatedFriend) {
    let isOld = generator.chance(0.6)
    let age = Duration.seconds(generator.int(60...70_000))
    let at = isOld ? .zero : moment()
    let id = "r\(friend.number)-\(friend.referrals.count)"
    let isClicked = generator.chance(0.25)
    let external = generator.chance(0.3) ? "x\(friend.number)" : nil
    let email = friend.email
    friend.referrals.append(id)
    add(
      at,
      .api { api in
        let created = isOld ? api.clock.trueTime - age : api.clock.trueTime
        api.model.put(
          makeReferral(
            id, isClicked ? .clicked : .pending, email: isClicked ? nil : email, created: created, external: external))
      })
    if isClicked {
      add(
        moment(after: at),
        .api { api in api.model.change(id) { ($0.friendEmail, $0.status) = (email, $0.status.filledIn) } })
    } else {
      friend.firm.append(id)
    }
    if generator.chance(0.08) { add(moment(after: at), .api { $0.model.convertElsewhere(id) }) }
  }

  private mutating func addOrder(of friend: inout SimulatedFriend) {
    let key = friend.number * 10 + friend.orders.count + 1
    let at = moment()
    let lag = Duration.seconds(generator.int(0...90))
    let email = friend.email
    let external = generator.chance(0.3) ? "x\(friend.number)" : nil
    let qualifies = generator.chance(0.85)
    friend.orders.append(key)
    add(
      at,
      .shop { shop, now in
        shop.put(makeOrder(key, email: email, external: external, qualifies: qualifies, placed: now - lag))
      })
    let text = OrderKey(String(key))
    if !qualifies { add(moment(after: at), .shop { shop, _ in shop.change(text) { $0.qualifies = true } }) }
    if generator.chance(0.3) {
      let cents = generator.int(1...9999)
      add(
        moment(after: at), .shop { shop, _ in shop.change(text) { $0.total = .amount(String(cents), currency: "EUR") } }
      )
    }
    if generator.chance(0.2) { add(moment(after: at), .shop { shop, _ in shop.change(text) { $0.qualifies = false } }) }
    if generator.chance(0.1) { add(moment(after: at), .shop { shop, _ in shop.remove(text) }) }
  }

  // MARK: Faults

  private mutating func addOutages() {
    if generator.chance(0.4) {
      let (from, length) = (moment(), generator.seconds(60...1200))
      let outage = SimulatedAPI.Outage.allCases.randomElement(using: &generator)
      add(from, .api { api in api.state.withLock { $0.outage = outage } })
      add(from + length, .api { api in api.state.withLock { $0.outage = nil } })
    }
    if generator.chance(0.3) {
      let (from, length) = (moment(), generator.seconds(60...600))
      add(
        from,
        .shop { shop, _ in shop.state.withLock { $0.outage = OrderSourceFailure(kind: .unreachable, message: "down") } }
      )
      add(from + length, .shop { shop, _ in shop.state.withLock { $0.outage = nil } })
    }
    if generator.chance(0.3) {
      let (from, length) = (moment(), generator.seconds(30...300))
      let isFull = generator.chance(0.6)
      add(from, .disk { if isFull { $0.fill() } else { $0.becomeReadOnly() } })
      add(from + length, .disk { $0.work() })
    }
    for _ in 0..<generator.int(0...2) where generator.chance(0.5) { add(moment(), .disk { $0.failNextSync() }) }
  }

  private mutating func addCrashes() {
    for _ in 0..<generator.int(0...5) {
      if generator.chance(0.5) {
        add(moment(), .crash(isPowerLoss: generator.chance(0.6)))
      } else {
        // In the middle of whatever it writes then.
        let writes = generator.int(1...30)
        add(moment(), .disk { $0.die(afterWrites: writes) })
      }
    }
  }

  /// By a minute or by days, and set right again, while things go wrong or after.
  private mutating func addJumps() {
    guard generator.chance(0.35) else { return }
    let size = Duration.seconds([40, 90, 1000, 90_000, 400_000].randomElement(using: &generator) ?? 90)
    let jump = generator.chance(0.5) ? size : .zero - size
    let from = moment()
    add(from, .clock(jump))
    let until = generator.chance(0.7) ? moment(after: from) : Self.busy
    add(until, .clock(.zero - jump))
    // Accepts the clock as an operator does, who looks at it first: no other clock tells the time then.
    if !apiTellsTime { add(until, .acceptClock) }
  }
}

/// One who was referred, perhaps, and buys.
struct SimulatedFriend: Sendable {
  let number: Int
  /// In the order of their making here, which is not that of their time.
  var referrals: [String] = []
  /// Those that had their e-mail from the beginning.
  var firm: [String] = []
  var orders: [Int] = []

  init(number: Int) { self.number = number }

  var email: String { "friend\(number)@example.com" }
}

extension ReferralStatus {
  /// The status of a clicked referral once the friend's e-mail is known.
  fileprivate var filledIn: Self { self == .clicked ? .pending : self }
}
