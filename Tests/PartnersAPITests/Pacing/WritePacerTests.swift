import Conversions
import Foundation
import Testing

@testable import PartnersAPI

@Suite("The pacer's file: shared, kept across restarts, and believed only where it is whole", .timeLimit(.minutes(5)))
struct WritePacerTests {
  private static let thirty = WriteLimits()

  private func pacer(
    _ path: String, _ clock: PacerClock, boot: String = "boot-1", persisted: String? = nil,
    owner: UInt64 = .random(in: .min ... .max)
  ) -> WritePacer {
    WritePacer(path: path, persisted: persisted, owner: owner, limits: Self.thirty, clock: clock, bootID: boot)
  }

  private func withPath(_ body: (String) async throws -> Void) async throws {
    try await ClientFixture.withFolder { try await body($0 + "/pacer") }
  }

  /// Measures the wait of `reserve`, on the virtual clock; the permit is answered at once.
  private func wait(_ pacer: WritePacer, _ clock: PacerClock, _ answer: PacedAnswer = .notRefused) async throws
    -> Duration
  {
    let start = clock.uptime
    let permit = try await pacer.reserve(.conversion)
    defer { clock.advance(.zero) }
    await pacer.finish(permit, answer)
    return clock.uptime - start
  }

  @Test("the spacing is kept across a restart, and the file is its owner's alone")
  func restart() async throws {
    try await withPath { path in
      let clock = PacerClock()
      #expect(try await wait(pacer(path, clock), clock) == .zero)
      #expect(try await wait(pacer(path, clock), clock) == .milliseconds(2080))
      let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test("thirty-one writes take a minute, and so do they for two pacers of one file")
  func twoInstances() async throws {
    try await withPath { path in
      let clock = PacerClock()
      let pacers = [pacer(path, clock), pacer(path, clock)]
      let start = clock.uptime
      for index in 0..<31 { _ = try await wait(pacers[index % 2], clock) }
      #expect(clock.uptime - start == .milliseconds(62_400))
    }
  }

  @Test(
    "a file that is not whole, not ours, or of a newer version costs a minute and is written anew",
    arguments: [
      "", "{}", "conversiond-pacer 3 2 0\n{}\n", "conversiond-pacer 2 2 0\n{}\n",
      String(repeating: "x", count: 2 << 20),
    ])
  func damaged(_ content: String) async throws {
    try await withPath { path in
      try content.write(toFile: path, atomically: false, encoding: .utf8)
      let clock = PacerClock()
      #expect(try await wait(pacer(path, clock), clock) == .seconds(60))
      #expect(try await wait(pacer(path, clock), clock) == .milliseconds(2080))
    }
  }

  @Test("a file torn anywhere costs a minute; what is left behind a shorter text costs nothing")
  func torn() async throws {
    try await withPath { path in
      let clock = PacerClock()
      for _ in 0..<5 { _ = try await wait(pacer(path, clock), clock) }
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
      for length in stride(from: 0, to: bytes.count - 1, by: 97) {
        try Data(bytes[..<length]).write(to: URL(fileURLWithPath: path))
        #expect(try await wait(pacer(path, PacerClock()), PacerClock()) == .zero)
        #expect(PacerRecord(Array(bytes[..<length])) == nil)
      }
      var flipped = bytes
      flipped[bytes.count / 2] ^= 1
      #expect(PacerRecord(flipped) == nil)
      #expect(PacerRecord(bytes + bytes) == PacerRecord(bytes))
      #expect(PacerRecord(bytes) != nil)
    }
  }

  @Test("after another boot all counts as just now")
  func otherBoot() async throws {
    try await withPath { path in
      let clock = PacerClock(uptime: .seconds(500_000))
      for _ in 0..<30 { _ = try await wait(pacer(path, clock), clock) }
      let rebooted = PacerClock(uptime: .seconds(20))
      #expect(try await wait(pacer(path, rebooted, boot: "boot-2"), rebooted) == .milliseconds(60_500))
    }
  }

  @Test(
    "a Retry-After survives a reboot that takes the file away, or a file that was torn",
    arguments: [nil, "", "conversiond-pacer 2 99"])
  func persisted(torn: String?) async throws {
    try await withPath { path in
      let (clock, persisted) = (PacerClock(uptime: .seconds(500_000)), path + ".kept")
      _ = try await wait(pacer(path, clock, persisted: persisted), clock, .refused(retryAfter: .seconds(7200)))
      try FileManager.default.removeItem(atPath: path)
      if let torn { try Data(torn.utf8).write(to: URL(fileURLWithPath: path)) }
      let rebooted = PacerClock(uptime: .seconds(20))
      let after = pacer(path, rebooted, boot: "boot-2", persisted: persisted)
      let pacing = try await after.snapshot()
      #expect(pacing.conversions.gear == .safe && pacing.writes.blockedUntil == .seconds(20 + 7201))
      // By hand, while it runs.
      try FileManager.default.removeItem(atPath: path)
      #expect(try await wait(after, rebooted) == .zero)
      let mode = try FileManager.default.attributesOfItem(atPath: persisted)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  @Test("after a reboot that takes the file away, a minute passes of which nothing is known")
  func persistedLimitsOfQuietTimes() async throws {
    try await withPath { path in
      let (clock, persisted) = (PacerClock(uptime: .seconds(500_000)), path + ".kept")
      let before = pacer(path, clock, persisted: persisted)
      for _ in 0..<30 { _ = try await wait(before, clock) }
      try FileManager.default.removeItem(atPath: path)
      let rebooted = PacerClock(uptime: .seconds(20))
      let after = pacer(path, rebooted, boot: "boot-2", persisted: persisted)
      #expect(try await wait(after, rebooted) == .seconds(60))
    }
  }

  @Test("a Retry-After survives a restart and a boot, and both limits know of it")
  func retryAfter() async throws {
    try await withPath { path in
      let clock = PacerClock()
      _ = try await wait(pacer(path, clock), clock, .refused(retryAfter: .seconds(12)))
      #expect(try await pacer(path, clock).snapshot().conversions.gear == .safe)
      clock.advance(.seconds(3))
      #expect(try await wait(pacer(path, clock), clock) == .seconds(10))
      _ = try await wait(pacer(path, clock), clock, .refused(retryAfter: .seconds(100)))
      let rebooted = PacerClock(uptime: .seconds(20))
      #expect(try await wait(pacer(path, rebooted, boot: "boot-2"), rebooted) == .seconds(101))
    }
  }

  @Test(
    "an operator ends the API's wait, for every program of the host and after a reboot, too",
    arguments: [RateLimit.unlimited, .perMinute(30)])
  func endedWait(_ limit: RateLimit) async throws {
    try await withPath { path in
      let clock = PacerClock()
      let limits = WriteLimits(writes: limit, conversions: limit)
      let make = { WritePacer(path: path, persisted: path + ".kept", limits: limits, clock: $0, bootID: $1) }
      let pacer = make(clock, "boot-1")
      #expect(try await !pacer.endWait(), "there is none")
      await pacer.finish(try await pacer.reserve(.conversion), .refused(retryAfter: .seconds(3600)))
      #expect(try await pacer.snapshot().blockedUntil(.conversion) == clock.uptime + .seconds(3601))
      // By another program, a command say.
      #expect(try await make(clock, "boot-1").endWait())
      let before = clock.uptime
      await pacer.cancel(try await pacer.reserve(.conversion))
      #expect(clock.uptime - before < .seconds(10))
      let rebooted = PacerClock(uptime: .seconds(20))
      #expect(
        try await make(rebooted, "boot-2").snapshot().blockedUntil(.conversion).map { $0 < .seconds(100) } ?? true)
    }
  }

  @Test("a wait that was just heard of ends, too") func endedOwnWait() async throws {
    try await withPath { path in
      let clock = PacerClock()
      let pacer = WritePacer(path: path, limits: WriteLimits(), clock: clock)
      await pacer.finish(try await pacer.reserve(.conversion), .refused(retryAfter: .seconds(3600)))
      #expect(try await pacer.endWait())
      let before = clock.uptime
      await pacer.cancel(try await pacer.reserve(.conversion))
      #expect(clock.uptime - before < .seconds(10))
    }
  }

  @Test(
    "whatever a 429 asks for holds after a restart and after a reboot: nothing, less than nothing, 1e9 seconds, not a word",
    arguments: [
      (Duration.zero, 1), (.seconds(-1), 3601), (.seconds(1_000_000_000), 3601), (nil, 61), (.milliseconds(1500), 2.5),
    ] as [(Duration?, Double)])
  func clampedRetryAfter(_ asked: Duration?, _ seconds: Double) async throws {
    try await withPath { path in
      let clock = PacerClock()
      _ = try await wait(pacer(path, clock), clock, .refused(retryAfter: asked))
      let block = Duration.milliseconds(Int64(seconds * 1000))
      #expect(try await pacer(path, clock).snapshot().writes.blockedUntil == clock.uptime + block)
      let rebooted = PacerClock(uptime: .seconds(20))
      let snapshot = try await pacer(path, rebooted, boot: "boot-2").snapshot()
      #expect(snapshot.writes.blockedUntil == rebooted.uptime + block)
      // The safe gear's own two seconds may be longer. A day would be 17,000 looks at the file.
      if seconds < 100 { #expect(try await wait(pacer(path, clock), clock) == max(block, .seconds(2))) }
    }
  }

  @Test("in the safe gear, what a process left in flight holds up sending for a few seconds and no longer")
  func orphaned() async throws {
    try await withPath { path in
      for (age, wait) in [(30, Duration.seconds(2)), (1, .seconds(6))] {
        let clock = PacerClock()
        var pacing = HostPacing()
        pacing.record(.refused(retryAfter: .zero), to: 1, .conversion, at: clock.uptime - .seconds(60))
        let sentAt = clock.uptime - .seconds(age)
        pacing.record(PacedSend(number: 2, owner: 7, sentAt: sentAt), .conversion)
        let record = PacerRecord(bootID: "boot-1", savedAt: clock.uptime, pacing: pacing)
        try Data(try record.encoded()).write(to: URL(fileURLWithPath: path))
        let waited = try await self.wait(pacer(path, clock, owner: 7), clock)
        #expect(waited >= wait && waited < wait + .milliseconds(200), "\(age) s old: \(waited)")
      }
    }
  }

  @Test("a permit given back leaves no trace; one given back twice, or of nobody, does no harm")
  func cancel() async throws {
    try await withPath { path in
      let clock = PacerClock()
      let pacer = pacer(path, clock)
      let permit = try await pacer.reserve(.conversion)
      await pacer.cancel(permit)
      await pacer.cancel(permit)
      await pacer.finish(permit, .refused(retryAfter: .seconds(9)))
      await pacer.finish(SendPermit(number: 4), .refused(retryAfter: .seconds(9)))
      #expect(try await wait(pacer, clock) == .zero)
    }
  }

  @Test("two in flight hold back a third, but for the one that holds their permits after a restart")
  func deadOwner() async throws {
    try await withPath { path in
      let wait = { (owner: UInt64) async throws -> Duration in
        let clock = PacerClock()
        var pacing = HostPacing()
        for number in 1...2 as ClosedRange<UInt64> {
          let time = clock.uptime - .seconds(20) * Int(number)
          pacing.record(PacedSend(number: number, owner: owner, sentAt: time), .conversion)
        }
        let record = PacerRecord(bootID: "boot-1", savedAt: clock.uptime, pacing: pacing)
        try Data(try record.encoded()).write(to: URL(fileURLWithPath: path))
        return try await self.wait(pacer(path, clock, owner: 7), clock)
      }
      #expect(try await wait(7) == .zero)
      let waited = try await wait(8)
      #expect(waited > .seconds(550) && waited < .seconds(600), "the lease of what another holds: \(waited)")
    }
  }

  @Test("what the process itself has in flight holds back a third for as long as a stranger's does")
  func ownInFlight() async throws {
    try await withPath { path in
      let clock = PacerClock()
      let pacer = pacer(path, clock, owner: 7)
      let permits = [try await pacer.reserve(.conversion), try await pacer.reserve(.conversion)]
      clock.advance(.seconds(60))
      #expect(try await wait(pacer, clock) > .seconds(500))
      for permit in permits { await pacer.cancel(permit) }
    }
  }

  @Test("a wait that another process was asked for holds where nothing is counted, too")
  func blockOfOthers() async throws {
    try await withPath { path in
      let clock = PacerClock()
      var pacing = HostPacing()
      pacing.record(.refused(retryAfter: .seconds(40)), to: 1, .conversion, at: clock.uptime)
      for number in 2...10 as ClosedRange<UInt64> {
        pacing.record(PacedSend(number: number, owner: 1, sentAt: clock.uptime), .conversion)
      }
      let record = PacerRecord(bootID: "boot-1", savedAt: clock.uptime, pacing: pacing)
      try Data(try record.encoded()).write(to: URL(fileURLWithPath: path))
      let unlimited = WritePacer(
        path: path, limits: WriteLimits(writes: .unlimited, conversions: .unlimited), clock: clock, bootID: "boot-1")
      #expect(try await wait(unlimited, clock) == .seconds(41))
    }
  }

  @Test("a refusal holds at once, before it is written", arguments: [RateLimit.unlimited, .perMinute(6000)])
  func refusalIsKnownAtOnce(_ limit: RateLimit) async throws {
    try await withPath { path in
      let clock = PacerClock()
      let pacer = WritePacer(
        path: path, limits: WriteLimits(writes: limit, conversions: limit), clock: clock, bootID: "boot-1")
      let permits = [try await pacer.reserve(.conversion), try await pacer.reserve(.conversion)]
      // The file is another process's just then, and the actor waits for it.
      let descriptor = unsafe open(path, O_RDWR)
      #expect(descriptor >= 0 && flock(descriptor, LOCK_EX) == 0)
      let start = clock.uptime
      let refused = Task { await pacer.finish(permits[0], .refused(retryAfter: .seconds(40))) }
      try await Task.sleep(for: .milliseconds(200))
      let reserved = Task {
        let permit = try await pacer.reserve(.conversion)
        return (permit, clock.uptime)
      }
      try await Task.sleep(for: .milliseconds(200))
      close(descriptor)
      let (permit, at) = try await reserved.value
      #expect(at - start >= .seconds(41), "reserved after \(at - start)")
      await refused.value
      for permit in [permit, permits[1]] { await pacer.cancel(permit) }
    }
  }

  @Test("a permit that was held until it counts as answered sends nothing: nobody would count it")
  func held() async throws {
    try await withPath { path in
      let clock = PacerClock()
      let pacer = pacer(path, clock)
      let held = try await pacer.reserve(.conversion)
      #expect(pacer.isGood(held))
      // Its order waited for a read that the API had asked to put off for an hour.
      clock.advance(.seconds(3600))
      let later = try await pacer.reserve(.conversion)
      #expect(try await pacer.snapshot().writes.inFlight == 1, "the held one is not counted any more")
      #expect(!pacer.isGood(held) && pacer.isGood(later))
    }
  }

  @Test("turns are given first come, first served, and a cancelled one is passed over")
  func turns() async throws {
    let turns = TurnQueue(count: 1)
    try await turns.acquire()
    let order = OrderLog()
    var tasks: [Task<Void, any Error>] = []
    for number in 0..<6 {
      tasks.append(
        Task {
          try await turns.acquire()
          await order.append(number)
          turns.release()
        })
      while turns.waiting <= number { await Task.yield() }
    }
    tasks[4].cancel()
    #expect(turns.waiting == 5)
    turns.release()
    for task in tasks { _ = await task.result }
    #expect(await order.numbers == [0, 1, 2, 3, 5])
    try await turns.acquire()
  }

  @Test("a wait for the pacer can be cancelled, and leaves nothing behind")
  func cancelledWait() async throws {
    try await withPath { path in
      let pacer = WritePacer(path: path, limits: Self.thirty)
      let first = try await pacer.reserve(.referral)
      let second = Task { try await pacer.reserve(.referral) }
      try await Task.sleep(for: .milliseconds(100))
      second.cancel()
      await #expect(throws: CancellationError.self) { try await second.value }
      await pacer.cancel(first)
      let pacing = try await pacer.snapshot()
      #expect(pacing == HostPacing())
    }
  }

  @Test(
    "where the file can't be kept, nothing is let through; where an answer can't be written, the next access does it")
  func failure() async throws {
    try await ClientFixture.withFolder { folder in
      let clock = PacerClock()
      let nowhere = pacer(folder + "/missing/pacer", clock)
      await #expect(throws: PacingFailure.self) { try await nowhere.reserve(.conversion) }
      let link = folder + "/link"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc/passwd")
      await #expect(throws: PacingFailure.self) { try await pacer(link, clock).reserve(.conversion) }

      let kept = pacer(folder + "/pacer", clock)
      let permit = try await kept.reserve(.conversion)
      try FileManager.default.moveItem(atPath: folder + "/pacer", toPath: folder + "/away")
      try FileManager.default.createDirectory(atPath: folder + "/pacer", withIntermediateDirectories: false)
      await kept.finish(permit, .refused(retryAfter: .seconds(40)))
      await #expect(throws: PacingFailure.self) { try await kept.reserve(.conversion) }
      try FileManager.default.removeItem(atPath: folder + "/pacer")
      try FileManager.default.moveItem(atPath: folder + "/away", toPath: folder + "/pacer")
      #expect(try await wait(kept, clock) == .seconds(41))
    }
  }

  @Test("two processes keep one limit together")
  func twoProcesses() async throws {
    try await withPath { path in
      // 600 a minute: 104 ms apart.
      let limits = WriteLimits(writes: .perMinute(600), conversions: .unlimited)
      let pacer = WritePacer(path: path, owner: UInt64(getpid()), limits: limits)
      async let other: Void = Self.reserveElsewhere(path)
      try await Self.reserve(pacer, times: 10, path)
      await other
      let mine = try Self.sends(getpid(), path)
      let all = try FileManager.default.contentsOfDirectory(atPath: (path as NSString).deletingLastPathComponent)
        .compactMap { $0.split(separator: ".").last.flatMap { Int32($0) } }.flatMap { try Self.sends($0, path) }
        .sorted()
      #expect(mine.count == 10 && all.count == 20)
      for (earlier, later) in zip(all, all.dropFirst()) { #expect(later - earlier >= 104) }
    }
  }

  private static func reserveElsewhere(_ path: String) async {
    await #expect(processExitsWith: .success) { [path = path as String] in
      let limits = WriteLimits(writes: .perMinute(600), conversions: .unlimited)
      try await WritePacerTests.reserve(
        WritePacer(path: path, owner: UInt64(getpid()), limits: limits), times: 10, path)
    }
  }

  /// Sends one after the other, and writes down when, by what the file says of each.
  private static func reserve(_ pacer: WritePacer, times: Int, _ path: String) async throws {
    var text = ""
    for _ in 0..<times {
      let permit = try await pacer.reserve(.conversion)
      let sentAt = try #require(try await pacer.snapshot().writes.sends.first { $0.owner == UInt64(getpid()) }?.sentAt)
      text += "\(sentAt / .milliseconds(1))\n"
      await pacer.finish(permit, .notRefused)
    }
    try text.write(toFile: "\(path).\(getpid())", atomically: true, encoding: .utf8)
  }

  /// When a process sent, in milliseconds since the boot.
  private static func sends(_ process: Int32, _ path: String) throws -> [Double] {
    try String(contentsOfFile: "\(path).\(process)", encoding: .utf8).split(separator: "\n").compactMap { Double($0) }
  }
}

/// The order in which things happened.
private actor OrderLog {
  private(set) var numbers: [Int] = []

  func append(_ number: Int) { numbers.append(number) }
}
