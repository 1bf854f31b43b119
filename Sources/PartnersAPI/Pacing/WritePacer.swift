public import Conversions
import Synchronization

/// The one pacer of a host and a base URL: its state is in a locked file that the daemon and all commands of this host
/// share, so that together they keep the API's limits, across restarts too.
///
/// An actor on a thread of its own, as files and locks block. It holds the file's lock for the moment of a decision and
/// never while it waits.
public actor WritePacer {
  /// A permit that is held for longer than any request takes counts as answered.
  static let leaseMax = Duration.seconds(600)
  /// How often it is looked whether another process's send was answered.
  static let answerPoll = Duration.milliseconds(50)
  /// How often a long wait looks at the file again: an operator may have deleted it.
  static let waitMax = Duration.seconds(5)

  private let executor = BlockingExecutor(label: "conversiond.pacer")
  private let file: LockedFile
  private let limits: WriteLimits
  private let clock: any HostClock
  private let bootID: String
  private let turns = TurnQueue(count: 1)
  /// The permits that are out, with what they are counted as.
  private var kinds: [UInt64: WriteKind] = [:]
  /// Not the actor's own: thousands of writes a second need not change threads twice each.
  private let unlimited = Mutex(UnlimitedPacing())
  /// What the API has refused in this process and the file doesn't say yet, by their permits' numbers: until when nothing
  /// is let through. Known at once, whoever holds the actor or the file just then.
  private let refusals = Mutex<[UInt64: Duration]>([:])
  /// How many refusals this process has heard of.
  private let refusalCount = Atomic<UInt64>(0)
  /// What is kept for after a reboot.
  private var keepsake: PacerKeepsake?
  /// Whether the file was looked into. Should it be gone later, somebody has removed it, and all that it said.
  private var hasLooked = false
  /// What could not be written yet: the next access does it before anything else.
  private var pending: [@Sendable (inout HostPacing) -> Void] = []

  /// Runs on the pacer's own queue.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  /// A pacer whose state is at a path. The folder must be there and outlive the process; the file is made when it is first
  /// needed, readable by its owner alone.
  ///
  /// - Parameters:
  ///   - path: The file that all programs of the host share.
  ///   - keepsake: Where a copy is kept of what must outlast a reboot, should the file not do so; nil for nowhere.
  ///   - limits: The limits on writes.
  ///   - clock: By which is waited.
  public init(path: String, keepsake: String? = nil, limits: WriteLimits, clock: any HostClock = SystemClock()) {
    self.init(path: path, keepsake: keepsake, limits: limits, clock: clock, bootID: SystemClock.bootID)
  }

  init(path: String, keepsake: String? = nil, limits: WriteLimits, clock: any HostClock, bootID: String) {
    file = LockedFile(path: path)
    self.keepsake = keepsake.map(PacerKeepsake.init)
    self.limits = limits
    self.clock = clock
    self.bootID = bootID
  }

  /// What the file of a base URL is called, so that each API has its own.
  public static func fileName(for baseURL: PartnersBaseURL) -> String {
    var digest = ContentDigest()
    digest.combine(baseURL.text)
    return "pacer-\(String(UInt64(bitPattern: digest.bits), radix: 16))"
  }

  /// Waits until the limits allow one write, first come, first served within this process, and reserves it.
  ///
  /// - Throws: `CancellationError`; `PacingFailure` where the file can't be read, locked or written.
  public nonisolated func reserve(_ kind: WriteKind) async throws -> SendPermit {
    try Task.checkCancellation()
    if limits.areNone(for: kind), let permit = begin(kind) { return permit }
    return try await reserveInTurn(kind)
  }

  /// Begins a write that no limit counts, where nothing need be waited for.
  private nonisolated func begin(_ kind: WriteKind) -> SendPermit? {
    let refusals = refusalCount.load(ordering: .acquiring)
    return unlimited.withLock { refusedUntil == nil ? $0.begin(kind, refusals: refusals, at: clock.uptime) : nil }
  }

  /// Whether what a permit is for may still leave: the API may have refused another one since, and would this one, too;
  /// or its holder waited for so long, for a read say, that it may count as answered before the API counts it.
  nonisolated func isGood(_ permit: SendPermit) -> Bool {
    permit.refusals == refusalCount.load(ordering: .acquiring) && permit.goodUntil.map { clock.uptime < $0 } ?? true
  }

  /// Makes all permits worthless that are out: the API would have nothing of any.
  nonisolated func outdatePermits() { refusalCount.add(1, ordering: .releasing) }

  /// Until when nothing is sent by what the API has just said.
  private nonisolated var refusedUntil: Duration? {
    let now = clock.uptime
    return refusals.withLock { $0.values.max() }.flatMap { $0 > now ? $0 : nil }
  }

  private func reserveInTurn(_ kind: WriteKind) async throws -> SendPermit {
    try await turns.acquire()
    defer { turns.release() }
    while true {
      try Task.checkCancellation()
      let verdict: PacingVerdict
      if let refusedUntil {
        verdict = .at(refusedUntil)
      } else if limits.areNone(for: kind) {
        verdict = try lookedVerdict(kind)
        if verdict == .now, let permit = begin(kind) { return permit }
      } else {
        let number = UInt64.random(in: .min ... .max)
        let refusals = refusalCount.load(ordering: .acquiring)
        verdict = try self.verdict(kind, number)
        if verdict == .now {
          kinds[number] = kind
          return SendPermit(number: number, refusals: refusals, goodUntil: clock.uptime + Self.leaseMax / 2)
        }
      }
      switch verdict {
      // Another one was quicker, or the look is too old again.
      case .now: await Task.yield()
      case .at(let time): try await clock.sleep(until: min(time, clock.uptime + Self.waitMax))
      case .afterAnswer: try await clock.sleep(for: Self.answerPoll)
      }
    }
  }

  private func verdict(_ kind: WriteKind, _ number: UInt64) throws -> PacingVerdict {
    try update { pacing, now in
      // A refusal may have come while the file was waited for.
      let verdict = refusedUntil.map(PacingVerdict.at) ?? pacing.verdict(kind, limits, at: now)
      guard verdict == .now else { return (verdict, false) }
      pacing.record(SendOwner.current.send(number, at: now), kind)
      return (verdict, true)
    }
  }

  private func lookedVerdict(_ kind: WriteKind) throws -> PacingVerdict {
    let now = clock.uptime
    if unlimited.withLock({ $0.needsLook(at: now) }) {
      let blockedUntil = try snapshot().blockedUntil(kind)
      // As of when it was had: a slow file would else be looked into again and again.
      unlimited.withLock { $0.look(blockedUntil: blockedUntil, at: clock.uptime) }
    }
    return unlimited.withLock { $0.verdict(at: clock.uptime) }
  }

  /// Records what came of a permit. Where the file can't be written now, it is done with the next access to it, before
  /// which nothing is sent. What a refusal asks for holds in this process from the call on.
  public nonisolated func finish(_ permit: SendPermit, _ answer: PacedAnswer) async {
    note(answer, to: permit)
    guard let kind = unlimited.withLock({ $0.end(permit) }) else { return await finishCounted(permit, answer) }
    guard case .refused = answer else { return }
    await record(answer, to: permit, kind)
    // Whoever looked before has not seen it.
    unlimited.withLock { $0.forgetLook() }
    forget(permit)
  }

  private nonisolated func note(_ answer: PacedAnswer, to permit: SendPermit) {
    guard case .refused(let retryAfter) = answer else { return }
    let until = PacingState.blockedUntil(after: retryAfter, at: clock.uptime)
    refusals.withLock { $0[permit.number] = until }
    // In this order: who has heard of it by number has heard of its wait.
    outdatePermits()
  }

  /// To be called once the file says it, or will before anything else is let through.
  private nonisolated func forget(_ permit: SendPermit) {
    _ = refusals.withLock { $0.removeValue(forKey: permit.number) }
  }

  /// Takes back a permit with which nothing was sent.
  public nonisolated func cancel(_ permit: SendPermit) async {
    if unlimited.withLock({ $0.end(permit) }) == nil { await cancelCounted(permit) }
  }

  private func finishCounted(_ permit: SendPermit, _ answer: PacedAnswer) {
    defer { forget(permit) }
    if let kind = kinds.removeValue(forKey: permit.number) { record(answer, to: permit, kind) }
  }

  private func cancelCounted(_ permit: SendPermit) {
    if kinds.removeValue(forKey: permit.number) != nil { settle { $0.cancel(permit.number) } }
  }

  private func record(_ answer: PacedAnswer, to permit: SendPermit, _ kind: WriteKind) {
    let now = clock.uptime
    settle { $0.record(answer, to: permit.number, kind, at: now) }
  }

  /// The state that all share, as of now.
  ///
  /// - Throws: `PacingFailure` where the file can't be read or locked.
  public func snapshot() throws -> HostPacing {
    try update { pacing, _ in (pacing, false) }
  }

  /// Ends the wait that the API has asked all programs of this host for, as an operator may who knows better; those that
  /// wait go on within `waitMax`. The gear stays the safe one.
  ///
  /// - Returns: Whether there was a wait.
  /// - Throws: `PacingFailure` where the file can't be read, locked or written.
  @discardableResult
  public func endWait() throws -> Bool {
    let now = clock.uptime
    let wasRefused = refusedUntil != nil
    let wasAsked = try update { pacing, _ in (pacing.endWait(at: now), true) }
    refusals.withLock { $0.removeAll() }
    unlimited.withLock { $0.forgetLook() }
    return wasAsked || wasRefused
  }

  private func settle(_ change: @escaping @Sendable (inout HostPacing) -> Void) {
    pending.append(change)
    // A failure leaves it in `pending`, and `reserve` tells about it: without this write it lets nothing through.
    _ = try? update { _, _ in ((), false) }
  }

  /// Reads, changes and writes the state under its lock. `body` tells whether it changed anything.
  private func update<Result>(_ body: (inout HostPacing, Duration) -> (Result, Bool)) throws -> Result {
    let result = try file.access(bytesMax: PacerRecord.bytesMax) { bytes in
      let now = clock.uptime
      var (pacing, isOfThisBoot) = load(bytes, at: now)
      for change in pending { change(&pacing) }
      // What is settled is stored: a send that was answered "just now" at each look would hold the lane for ever.
      let isSettled = pacing.settle(at: now, leaseMax: Self.leaseMax, isGone: SendOwner.current.isGone)
      let (result, isChanged) = body(&pacing, now)
      let isToWrite = isChanged || isSettled || !pending.isEmpty || !isOfThisBoot
      let record = PacerRecord(bootID: bootID, savedAt: now, pacing: pacing)
      if isToWrite { keepsake?.keep(record) }
      return (result, isToWrite ? try record.encoded() : nil)
    }
    pending = []
    hasLooked = true
    return result
  }

  /// The state in a file: what was kept, or none, for a new one; nothing known of the last minute for one that can't be
  /// read.
  private func load(_ bytes: [UInt8]?, at now: Duration) -> (pacing: HostPacing, isOfThisBoot: Bool) {
    if let record = bytes.flatMap(PacerRecord.init) {
      return (record.pacing(inBoot: bootID, at: now), record.bootID == bootID)
    }
    let isRemoved = bytes == nil && hasLooked
    if !isRemoved, let kept = keepsake?.pacing(inBoot: bootID, at: now) { return (kept, false) }
    return (bytes == nil ? HostPacing() : .full(at: now), false)
  }
}
