import Conversions
import Foundation
import Testing

private let boot = Timestamp(milliseconds: 1_765_000_000_000)
private let day = Duration.seconds(86_400)
private let hour = Duration.seconds(3600)

/// A host's clock and its witnesses, told by how far each is ahead of the truth.
private final class Clocks {
  private(set) var uptime: Duration
  var host = Duration.zero
  private(set) var time: TrustedTime
  private(set) var changes: [TrustedTime.Change] = []

  init(
    host: Duration = .zero, memory: TrustedTime.Memory? = nil, bootID: String = "one",
    uptime: Duration = .seconds(100)
  ) {
    (self.host, self.uptime) = (host, uptime)
    time = TrustedTime(.init(host: boot + uptime + host, uptime: uptime), memory: memory, bootID: bootID)
  }

  var truth: Timestamp { boot + uptime }
  private var reading: TrustedTime.Reading { .init(host: truth + host, uptime: uptime) }

  func isConfirmed() -> Bool {
    look()
    return time.isConfirmed
  }

  func look() { note(time.observe(reading)) }

  func api(_ ahead: Duration = .zero) {
    look()
    note(time.heard(api: truth + ahead, reading))
  }

  func answerWithoutADate() {
    look()
    note(time.heard(api: nil, reading))
  }

  func database(_ ahead: Duration = .zero, isOnHost: Bool = false) {
    look()
    note(time.heard(database: isOnHost ? nil : truth + ahead, reading))
  }

  func person() {
    look()
    note(time.confirmByPerson())
  }

  func pass(_ duration: Duration) { uptime += duration }

  private func note(_ change: TrustedTime.Change?) {
    if let change { changes.append(change) }
  }
}

@Suite struct TrustedTimeTests {
  @Test(arguments: [Duration.zero, .seconds(119), .seconds(-119)])
  func aBootIsUnconfirmedUntilTheAPIAgrees(_ error: Duration) {
    let clocks = Clocks(host: error)
    #expect(!clocks.isConfirmed() && clocks.changes.isEmpty && clocks.time.suspicion == nil)
    clocks.pass(day)
    #expect(!clocks.isConfirmed())
    clocks.api()
    #expect(clocks.isConfirmed() && clocks.changes == [.confirmed(.api)])
    clocks.api()
    #expect(clocks.changes.count == 1, "once")
  }

  @Test(arguments: [day * 365, .zero - day * 365, .seconds(121), .seconds(-121)])
  func aBootWithAWrongClockIsUnconfirmedUntilItIsSetRight(_ error: Duration) {
    let clocks = Clocks(host: error)
    for _ in 0..<3 {
      clocks.pass(hour)
      clocks.api()
      clocks.database(error)
      clocks.database(isOnHost: true)
      #expect(!clocks.isConfirmed())
    }
    #expect(clocks.changes == [.contradicted(.api, ahead: .zero - error)], "once")
    clocks.host = .zero
    #expect(!clocks.isConfirmed() && clocks.changes.last == .jumped(.zero - error))
    clocks.api()
    #expect(clocks.isConfirmed() && clocks.changes.last == .confirmed(.api))
  }

  @Test(arguments: [day, .zero - day, hour, .seconds(61), .seconds(-61)])
  func aJumpIsUnconfirmedUntilTheAPIAgrees(_ jump: Duration) {
    let clocks = Clocks()
    clocks.api()
    clocks.host = jump
    #expect(!clocks.isConfirmed())
    clocks.pass(hour)
    #expect(!clocks.isConfirmed() && clocks.changes == [.confirmed(.api), .jumped(jump)])
    clocks.api(jump)
    #expect(clocks.isConfirmed() && clocks.changes.last == .confirmed(.api))
  }

  @Test(arguments: [day, .zero - day])
  func aJumpBackIsConfirmedByItself(_ jump: Duration) {
    let clocks = Clocks()
    clocks.api()
    clocks.host = jump
    #expect(!clocks.isConfirmed())
    clocks.host = .seconds(5)
    #expect(clocks.isConfirmed() && clocks.time.jumps == 2)
    #expect(clocks.changes == [.confirmed(.api), .jumped(jump), .confirmed(.itself)])
  }

  @Test func eachOfTwoJumpsIsTold() {
    let clocks = Clocks()
    clocks.api()
    for jump in [day, day + .seconds(30), day * 2, .zero - day] {
      clocks.host = jump
      clocks.look()
    }
    #expect(clocks.changes == [.confirmed(.api), .jumped(day), .jumped(day - .seconds(30)), .jumped(.zero - day * 3)])
    clocks.api()
    #expect(!clocks.isConfirmed())
    clocks.person()
    #expect(clocks.isConfirmed() && clocks.changes.last == .confirmed(.person))
  }

  @Test func driftIsFollowedSilently() {
    let clocks = Clocks()
    clocks.api()
    // Sets the clock as NTP does, by more in all than any jump.
    for step in 1...100 {
      clocks.pass(hour)
      clocks.host = .seconds(50 * step)
      #expect(clocks.isConfirmed())
    }
    #expect(clocks.changes == [.confirmed(.api)] && clocks.time.jumps == 0)
  }

  @Test func aSuspendedHostHasNotJumped() {
    let clocks = Clocks()
    clocks.api()
    clocks.pass(day * 3)
    #expect(clocks.isConfirmed() && clocks.time.jumps == 0)
  }

  /// A virtual machine that was stopped: its uptime stood still, and its clock is set once it runs again.
  @Test func aMachineThatStoodStillIsConfirmedByTheAPI() {
    let clocks = Clocks()
    clocks.api()
    clocks.host = hour
    #expect(!clocks.isConfirmed())
    clocks.api(hour + .seconds(1))
    #expect(clocks.isConfirmed())
  }

  @Test func withoutAnyOtherClockABootIsBelievedAndAJumpIsNot() {
    let clocks = Clocks(host: day)
    clocks.answerWithoutADate()
    #expect(!clocks.isConfirmed(), "the database may know better")
    clocks.database(isOnHost: true)
    #expect(clocks.isConfirmed() && clocks.changes == [.confirmed(.hostAlone)])
    clocks.answerWithoutADate()
    #expect(clocks.changes.count == 1, "once")
    clocks.host = .zero
    for _ in 0..<3 {
      clocks.answerWithoutADate()
      clocks.database(isOnHost: true)
    }
    #expect(!clocks.isConfirmed())
    clocks.person()
    #expect(clocks.isConfirmed())
  }

  @Test func aDatabaseOnAnotherHostCountsWhereTheAPIDoesNotTell() {
    for error in [Duration.zero, day] {
      let clocks = Clocks(host: error)
      clocks.database()
      #expect(!clocks.isConfirmed(), "the API's clock comes first")
      clocks.answerWithoutADate()
      let isRight = error == .zero
      #expect(clocks.isConfirmed() == isRight)
      #expect(clocks.changes == [isRight ? .confirmed(.database) : .contradicted(.database, ahead: .zero - day)])
      clocks.host = .zero
      clocks.database()
      #expect(clocks.isConfirmed())
    }
  }

  /// As one in a container on this host has it, with an address of its own.
  @Test(arguments: [day, .zero - day]) func aDatabaseThatJumpsAlongDoesNotOutvoteTheAPI(_ jump: Duration) {
    let clocks = Clocks()
    clocks.api()
    clocks.host = jump
    for _ in 0..<3 {
      clocks.database(jump)
      clocks.api()
    }
    #expect(!clocks.isConfirmed())
  }

  @Test func aRestartInTheSameBootGoesOnConfirmed() throws {
    var clocks = Clocks()
    clocks.api()
    let stored = try JSONEncoder().encode(clocks.time.memory)
    let memory = try JSONDecoder().decode(TrustedTime.Memory.self, from: stored)
    clocks = Clocks(host: .seconds(50), memory: memory, uptime: .seconds(5000))
    #expect(clocks.isConfirmed() && clocks.changes.isEmpty)
    for jump in [day, .zero - day] {
      clocks = Clocks(host: jump, memory: memory, uptime: .seconds(5000))
      #expect(!clocks.isConfirmed() && clocks.changes == [.jumped(jump)])
      clocks.answerWithoutADate()
      clocks.database(isOnHost: true)
      #expect(!clocks.isConfirmed(), "no boot")
      // Starts once more, as it was.
      clocks = Clocks(host: jump, memory: clocks.time.memory, uptime: .seconds(6000))
      clocks.answerWithoutADate()
      clocks.database(isOnHost: true)
      #expect(!clocks.isConfirmed())
    }
    clocks = Clocks(memory: memory, bootID: "two", uptime: .seconds(10))
    #expect(!clocks.isConfirmed() && clocks.changes.isEmpty)
  }

  /// Of a version that had two of three clocks agree.
  @Test func anOlderVersionsMemoryIsRead() throws {
    let stored = #"{"bootID":"one","uptime":[0,1],"bootedAt":\#(boot.microseconds),"corrections":[]}"#
    let memory = try JSONDecoder().decode(TrustedTime.Memory.self, from: Data(stored.utf8))
    var clocks = Clocks(memory: memory)
    #expect(clocks.isConfirmed())
    clocks = Clocks(host: day, memory: memory)
    #expect(!clocks.isConfirmed())
  }

  @Test func aTimeFromBeforeAJumpIsUncertain() {
    let clocks = Clocks()
    clocks.api()
    let early = clocks.truth
    clocks.host = day
    clocks.look()
    #expect(clocks.time.uncertainty(since: early) > day * 1000, "unconfirmed")
    clocks.pass(hour)
    let wrong = clocks.truth + day
    clocks.host = .zero
    #expect(clocks.isConfirmed())
    #expect(clocks.time.uncertainty(since: early) == day * 2 && clocks.time.uncertainty(since: wrong) == day * 2)
    #expect(clocks.time.jumpedAt == clocks.truth)
    clocks.pass(day * 2)
    let late = clocks.truth
    #expect(clocks.time.uncertainty(since: late) == .zero)
    let again = Clocks(memory: clocks.time.memory, bootID: "two", uptime: clocks.uptime)
    again.api()
    #expect(again.isConfirmed() && again.time.uncertainty(since: early) == day * 2, "in another boot, too")
  }
}
