import Conversions
import Testing

private let boot = Timestamp(milliseconds: 1_765_000_000_000)
private let day = Duration.seconds(86_400)
private let hour = Duration.seconds(3600)

/// A host's clock and its witnesses, told by how far each is ahead of the truth.
private struct Clocks {
  private(set) var uptime = Duration.seconds(100)
  var host = Duration.zero
  private(set) var time: WitnessedTime
  private(set) var changes: [WitnessedTime.Change] = []

  init(host: Duration = .zero) {
    self.host = host
    time = WitnessedTime(.init(host: boot + .seconds(100) + host, uptime: .seconds(100)))
  }

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

  mutating func database(_ ahead: Duration = .zero) {
    if let change = time.heard(database: truth + ahead, reading) { changes.append(change) }
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
      #expect(clocks.ahead() == day, "one against one, and a third that is with neither")
      clocks.host = .zero
      #expect(clocks.ahead() == .zero && clocks.changes == [.followed(.zero - day)])
    }
  }

  @Test(arguments: [day, .zero - day, .seconds(200)])
  func apiAndDatabaseOutvoteTheHost(_ error: Duration) {
    for apiFirst in [true, false] {
      var clocks = Clocks(host: error)
      if apiFirst { clocks.api(.seconds(1)) } else { clocks.database() }
      #expect(clocks.ahead() == error)
      if apiFirst { clocks.database() } else { clocks.api(.seconds(1)) }
      #expect(clocks.ahead() == .seconds(1) && clocks.ahead() == .seconds(1))
      #expect(clocks.changes == [.outvoted(.seconds(1) - error)], "once")
      clocks.host = .zero
      #expect(clocks.ahead() == .zero && clocks.changes.last == .settled)
    }
  }

  @Test func witnessesThatDifferFromEachOtherOutvoteNobody() {
    var clocks = Clocks()
    clocks.api(.seconds(-3600))
    clocks.database(.seconds(300))
    #expect(clocks.ahead() == .zero && clocks.changes.isEmpty)
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
    #expect(clocks.ahead() == .zero && clocks.changes == [.followed(.zero - day)])
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
}
