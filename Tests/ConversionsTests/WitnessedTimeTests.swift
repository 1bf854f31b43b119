import Conversions
import Testing

private let boot = Timestamp(milliseconds: 1_765_000_000_000)
private let day = Duration.seconds(86_400)
private let hour = Duration.seconds(3600)

/// A host's clock and its witnesses, told by how far each is ahead of the truth.
private struct Clocks {
  private(set) var uptime: Duration
  var host = Duration.zero
  private(set) var time: WitnessedTime
  private(set) var changes: [WitnessedTime.Change] = []

  init(
    host: Duration = .zero, memory: WitnessedTime.Memory? = nil, bootID: String = "one",
    uptime: Duration = .seconds(100)
  ) {
    (self.host, self.uptime) = (host, uptime)
    time = WitnessedTime(.init(host: boot + uptime + host, uptime: uptime), memory: memory, bootID: bootID)
  }

  var memory: WitnessedTime.Memory { time.memory(reading) }

  private var truth: Timestamp { boot + uptime }
  private var reading: WitnessedTime.Reading { .init(host: truth + host, uptime: uptime) }

  /// How far what is held to be the time is ahead.
  mutating func ahead() -> Duration {
    let (now, change) = time.now(reading)
    if let change { changes.append(change) }
    return now - truth
  }

  mutating func api(_ ahead: Duration = .zero) {
    if let change = time.heard(api: truth + ahead, reading) { changes.append(change) }
  }

  mutating func database(_ ahead: Duration = .zero, isOnHost: Bool = false) {
    if let change = time.heard(database: truth + ahead, isOnHost: isOnHost, reading) { changes.append(change) }
  }

  mutating func answerWithoutADate() {
    if let change = time.heard(api: nil, reading) { changes.append(change) }
  }

  mutating func pass(_ duration: Duration) { uptime += duration }
}

@Suite struct WitnessedTimeTests {
  @Test(arguments: [day, .zero - day, hour, .seconds(-61)])
  func nobodyConfirmsAJump(_ jump: Duration) {
    var clocks = Clocks()
    clocks.host = jump
    #expect(clocks.ahead() == .zero)
    clocks.pass(hour)
    #expect(clocks.ahead() == .zero && clocks.ahead() == .zero)
    #expect(clocks.changes == [.doubted(jump)], "once")
    clocks.host = .seconds(2)
    #expect(clocks.ahead() == .seconds(2))
    #expect(clocks.changes == [.doubted(jump), .settled])
  }

  @Test(arguments: [day, .zero - day])
  func witnessesThatDisagreeWithAJump(_ jump: Duration) {
    var clocks = Clocks()
    clocks.api()
    clocks.database()
    clocks.host = jump
    #expect(clocks.ahead() == .zero)
    for _ in 0..<3 {
      clocks.api(.seconds(1))
      clocks.database()
      #expect(clocks.ahead() == .zero)
    }
    #expect(clocks.changes == [.doubted(jump)])
  }

  @Test(arguments: [day, .zero - day])
  func aDatabaseThatJumpsAlongConfirmsNothing(_ jump: Duration) {
    for isFirst in [true, false] {
      var clocks = Clocks()
      if !isFirst { clocks.database() }
      clocks.host = jump
      if isFirst { #expect(clocks.ahead() == .zero) }
      clocks.database(jump)
      #expect(clocks.ahead() == .zero)
      clocks.api()
      clocks.database(jump)
      #expect(clocks.ahead() == .zero && clocks.changes == [.doubted(jump)])
      // The API says so, too: it was a correction.
      clocks.api(jump)
      #expect(clocks.ahead() == jump && clocks.changes == [.doubted(jump), .followed(jump)])
    }
  }

  @Test(arguments: [day, .zero - day])
  func aCorrectionThatTheAPIConfirms(_ error: Duration) {
    var clocks = Clocks(host: error)
    clocks.database(error)
    clocks.api()
    #expect(clocks.ahead() == error, "host and database are two")
    clocks.host = .zero
    #expect(clocks.ahead() == .zero && clocks.changes == [.followed(.zero - error)])
    // What the database showed before was the host's own mistake.
    clocks.host = error
    #expect(clocks.ahead() == .zero)
  }

  @Test func aCorrectionBeforeTheAPIsFirstAnswer() {
    var clocks = Clocks(host: day)
    #expect(clocks.ahead() == day)
    clocks.host = .zero
    #expect(clocks.ahead() == day)
    clocks.api(.milliseconds(400))
    #expect(clocks.ahead() == .zero)
    #expect(clocks.changes == [.doubted(.zero - day), .followed(.zero - day)])
  }

  @Test func aCorrectionThatOnlyADatabaseOnAnotherHostConfirms() {
    for api in [Duration?.none, hour] {
      var clocks = Clocks(host: day)
      clocks.database()
      if let api { clocks.api(api) }
      #expect(clocks.ahead() == .zero, "one against one, and a third that is with neither: the earliest")
      clocks.host = .zero
      #expect(clocks.ahead() == .zero && clocks.changes == [.contested(.zero - day), .settled])
    }
  }

  @Test(arguments: [day, .zero - day, .seconds(200)])
  func apiAndDatabaseOutvoteTheHost(_ error: Duration) {
    for apiFirst in [true, false] {
      var clocks = Clocks(host: error)
      let first = Duration.seconds(apiFirst ? 1 : 0)
      if apiFirst { clocks.api(first) } else { clocks.database() }
      #expect(clocks.ahead() == min(error, first))
      if apiFirst { clocks.database() } else { clocks.api(.seconds(1)) }
      #expect(clocks.ahead() == .seconds(1) && clocks.ahead() == .seconds(1))
      #expect(clocks.changes == [.contested(first - error), .outvoted(.seconds(1) - error)], "once each")
      clocks.host = .zero
      #expect(clocks.ahead() == .zero && clocks.changes.last == .settled)
    }
  }

  @Test func witnessesThatDifferFromEachOtherOutvoteNobody() {
    var clocks = Clocks()
    clocks.api(.seconds(-3600))
    clocks.database(.seconds(300))
    #expect(clocks.ahead() == .seconds(-3600) && clocks.changes == [.contested(.seconds(-3600))])
  }

  /// An API that is a minute and a half ahead is no reason to follow one that set the clock ahead by less.
  @Test func theNearerOneIsFollowed() {
    var clocks = Clocks()
    clocks.api()
    clocks.host = .seconds(100)
    #expect(clocks.ahead() == .zero && clocks.changes == [.doubted(.seconds(100))])
    clocks = Clocks(host: day)
    clocks.api(.seconds(95))
    clocks.host = .zero
    #expect(clocks.ahead() == .zero && clocks.changes == [.contested(.seconds(95) - day), .settled])
  }

  @Test func driftIsFollowedForWeeks() {
    var clocks = Clocks()
    clocks.api()
    for step in 1...(60 * 24) {
      clocks.pass(hour)
      // Two seconds an hour: more than any clock's crystal, and no witness is heard.
      clocks.host = .seconds(2 * step)
      #expect(clocks.ahead() == .seconds(2 * step))
    }
    #expect(clocks.changes.isEmpty)
    clocks.host += day
    #expect(clocks.ahead() == .seconds(2 * 60 * 24))
  }

  @Test func aHostThatSleepsHasNotJumped() {
    var clocks = Clocks()
    clocks.api()
    clocks.pass(day)
    #expect(clocks.ahead() == .zero && clocks.changes.isEmpty)
  }

  /// A virtual machine that was stopped: its uptime stood still, and its clock is set once it runs again.
  @Test func aMachineThatStoodStillIsSet() {
    var clocks = Clocks()
    clocks.api()
    clocks.database()
    clocks.host = hour
    #expect(clocks.ahead() == .zero)
    clocks.api(hour)
    clocks.database(hour)
    #expect(clocks.ahead() == hour && clocks.changes == [.doubted(hour), .followed(hour)])
    // And one whose clock nobody sets, while the database's goes on.
    clocks = Clocks()
    clocks.api()
    clocks.database()
    clocks.api(hour)
    clocks.database(hour)
    #expect(clocks.ahead() == hour && clocks.changes == [.outvoted(hour)])
  }

  @Test func aSecondJumpIsToldAgain() {
    var clocks = Clocks()
    for jump in [day, day + .seconds(30), day * 2, .zero - day] {
      clocks.host = jump
      #expect(clocks.ahead() == .zero)
    }
    #expect(clocks.changes == [.doubted(day), .doubted(day * 2), .doubted(.zero - day)])
  }

  /// From the start: host and database are one clock, and the API's says otherwise. Whatever ends by time waits for both.
  @Test(arguments: [day, .zero - day, hour])
  func aDatabaseOnTheHostOutvotesNobody(_ error: Duration) {
    for apiFirst in [true, false] {
      var clocks = Clocks(host: error)
      if apiFirst { clocks.api() }
      for _ in 0..<3 { clocks.database(error, isOnHost: true) }
      if !apiFirst { clocks.api() }
      #expect(clocks.ahead() == min(.zero, error) && !clocks.time.isWitnessed)
      clocks.pass(hour)
      clocks.api(.seconds(1))
      #expect(clocks.ahead() == min(.zero, error))
      #expect(clocks.changes == [.contested(.zero - error)], "once")
      clocks.host = .zero
      #expect(clocks.ahead() == .zero && clocks.time.isWitnessed)
      #expect(clocks.changes == [.contested(.zero - error), .settled])
      // Witnessed, it is no longer the API's to hold it back.
      clocks.api(.zero - day)
      #expect(clocks.ahead() == .zero)
    }
  }

  @Test(arguments: [day, .zero - day])
  func aRestartInTheSameBootGoesOnWithTheTimeThatWasWitnessed(_ jump: Duration) {
    var clocks = Clocks()
    clocks.api()
    let memory = clocks.memory
    clocks = Clocks(host: jump, memory: memory, uptime: .seconds(5000))
    clocks.database(jump, isOnHost: true)
    #expect(clocks.ahead() == .zero && clocks.changes == [.doubted(jump)])
    // Nothing was witnessed in this run: what is known stays known.
    #expect(Clocks(host: jump, memory: Clocks(memory: memory).memory).memory.bootedAt == boot)
  }

  @Test func afterAnotherBootTimeGoesOnFromWhatIsCertain() {
    var clocks = Clocks()
    clocks.api()
    clocks.pass(hour)
    let memory = clocks.memory
    // The host was off for a day, and its clock is a month ahead now.
    let known = Duration.zero - day + hour + .seconds(100)
    let restart = { Clocks(host: day * 30, memory: memory, bootID: "two", uptime: .seconds(5) + day) }
    clocks = restart()
    clocks.database(day * 30, isOnHost: true)
    #expect(clocks.ahead() == known - .seconds(5))
    clocks.pass(.seconds(60))
    #expect(clocks.ahead() == known - .seconds(5))
    #expect(clocks.memory == memory, "nobody knows better yet")
    clocks.api()
    #expect(clocks.ahead() == .zero && clocks.changes == [.contested(.zero - day * 30)])
    // No time was taken by the clock of before.
    #expect(clocks.time.corrections.isEmpty && clocks.time.jumps == 1)
    clocks = restart()
    clocks.answerWithoutADate()
    #expect(clocks.ahead() == day * 30, "nobody will ever say")
    clocks = restart()
    clocks.database()
    #expect(clocks.ahead() == .zero, "on another host")
    clocks.api()
    #expect(clocks.memory.bootID == "two" && clocks.memory.bootedAt == boot)
  }

  @Test func whatWasTakenBeforeACorrectionIsInDoubt() {
    var clocks = Clocks()
    clocks.api()
    let early = boot + clocks.uptime
    clocks.host = day
    _ = clocks.ahead()
    clocks.api(day)
    clocks.pass(hour)
    #expect(clocks.ahead() == day)
    let wrong = boot + clocks.uptime + day
    clocks.host = .zero
    _ = clocks.ahead()
    clocks.api()
    #expect(clocks.ahead() == .zero)
    #expect(clocks.time.doubt(since: early) == day * 2 && clocks.time.excess(since: early) == .zero)
    #expect(clocks.time.doubt(since: wrong) == day && clocks.time.excess(since: wrong) == .zero)
    clocks.pass(day * 2)
    let late = boot + clocks.uptime
    #expect(clocks.time.doubt(since: late) == .zero)
    clocks.host = day * 40
    _ = clocks.ahead()
    clocks.api(day * 40)
    #expect(clocks.ahead() == day * 40)
    #expect(clocks.time.doubt(since: late) == day * 40 && clocks.time.excess(since: late) == day * 40)
    let again = Clocks(host: day * 40, memory: clocks.memory, uptime: clocks.uptime + hour)
    #expect(again.time.doubt(since: late) == day * 40, "after a restart, too")
  }
}
