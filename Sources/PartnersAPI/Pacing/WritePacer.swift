import BlockingIO
public import Conversions
import Synchronization

/// The one pacer of a host and a base URL: its state is in a locked file that the daemon and all commands of this host
/// share, so that together they keep the API's limits, across restarts too.
///
/// Runs on a thread of its own, as files and locks block. It holds the file's lock for the moment of a decision and
/// never while it waits.
public actor WritePacer {
  /// The age from which a permit counts as answered: no request takes as long.
  static let leaseMax = Duration.seconds(600)
  /// The interval at which the pacer checks if another process's send was answered.
  static let answerPoll = Duration.milliseconds(50)
  /// The longest sleep before a wait reads the file again: an operator may have deleted it.
  static let waitMax = Duration.seconds(5)

  private let executor = BlockingExecutor(label: "conversiond.pacer")
  private let file: LockedFile
  private let limits: WriteLimits
  private let clock: any HostClock
  private let bootID: String
  private let owner: UInt64
  private let turns = TurnQueue(count: 1)
  /// The permits that are out, with the kind of write that each counts as.
  private var kinds: [UInt64: WriteKind] = [:]
  /// The API's refusals in this process that the file doesn't hold yet, by their permits' numbers: the time until which
  /// nothing is let through. Known at once, even while another task holds the actor or another process the file.
  private let refusals = Mutex<[UInt64: Duration]>([:])
  /// The number of refusals that this process has heard of.
  private let refusalCount = Atomic<UInt64>(0)
  /// The copy that is kept for after a reboot; nil for none.
  private var persisted: PersistedLimits?
  /// True once the file was read. If it is gone later, it was removed, with all that it held.
  private var hasLooked = false
  /// The changes that could not be written yet: the next access makes them before anything else.
  private var pending: [@Sendable (inout HostPacing) -> Void] = []

  /// The executor of the pacer's own queue.
  public nonisolated var unownedExecutor: UnownedSerialExecutor { unsafe executor.asUnownedSerialExecutor() }

  /// Makes a pacer whose state is at a path. The folder must be there and outlive the process; the file is made when it
  /// is first needed, readable by its owner alone.
  ///
  /// - Parameters:
  ///   - path: The file that all programs of the host share.
  ///   - persisted: The path of a copy of what must outlast a reboot, should the file not do so; nil for no copy.
  ///   - owner: The holder of its permits: a number that only one process at a time has. One that comes back after
  ///     a restart knows at once that what the former process had in flight has no answer to come.
  ///   - limits: The limits on writes.
  ///   - clock: The clock by which it waits.
  public init(
    path: String, persisted: String? = nil, owner: UInt64 = .random(in: .min ... .max), limits: WriteLimits,
    clock: any HostClock = SystemClock()
  ) {
    self.init(path: path, persisted: persisted, owner: owner, limits: limits, clock: clock, bootID: SystemClock.bootID)
  }

  init(
    path: String, persisted: String? = nil, owner: UInt64 = .random(in: .min ... .max), limits: WriteLimits,
    clock: any HostClock, bootID: String
  ) {
    file = LockedFile(path: path)
    self.owner = owner
    self.persisted = persisted.map(PersistedLimits.init)
    self.limits = limits
    self.clock = clock
    self.bootID = bootID
  }

  /// Returns the name of a base URL's file, so that each API has its own.
  public static func fileName(for baseURL: PartnersBaseURL) -> String {
    var digest = ContentDigest()
    digest.combine(baseURL.text)
    return "pacer-\(String(UInt64(bitPattern: digest.bits), radix: 16))"
  }

  /// Waits until the limits allow one write, first come, first served within this process, and reserves it.
  ///
  /// - Throws: `CancellationError`; `PacingFailure` where the file can't be read, locked or written.
  public func reserve(_ kind: WriteKind) async throws -> SendPermit {
    try Task.checkCancellation()
    try await turns.acquire()
    defer { turns.release() }
    while true {
      try Task.checkCancellation()
      let number = UInt64.random(in: .min ... .max)
      let refusals = refusalCount.load(ordering: .acquiring)
      switch try refusedUntil.map(PacingVerdict.at) ?? verdict(kind, number) {
      case .now:
        kinds[number] = kind
        return SendPermit(number: number, refusals: refusals, goodUntil: clock.uptime + Self.leaseMax / 2)
      case .at(let time): try await clock.sleep(until: min(time, clock.uptime + Self.waitMax))
      case .afterAnswer: try await clock.sleep(for: Self.answerPoll)
      }
    }
  }

  /// True while the write of a permit may still leave. Not so once the API has refused another one, as it would this
  /// one, too; nor once its holder waited for so long, for a read say, that it may count as answered before the API
  /// counts it.
  nonisolated func isGood(_ permit: SendPermit) -> Bool {
    permit.refusals == refusalCount.load(ordering: .acquiring) && permit.goodUntil.map { clock.uptime < $0 } ?? true
  }

  /// Invalidates all permits that are out: the API would refuse any of them.
  nonisolated func outdatePermits() { refusalCount.add(1, ordering: .releasing) }

  /// The time until which nothing is sent, by what the API has just said; nil for none.
  private nonisolated var refusedUntil: Duration? {
    let now = clock.uptime
    return refusals.withLock { $0.values.max() }.flatMap { $0 > now ? $0 : nil }
  }

  private func verdict(_ kind: WriteKind, _ number: UInt64) throws -> PacingVerdict {
    try update { pacing, now in
      // Checks for a refusal again: one may have come while the file was waited for.
      let verdict = refusedUntil.map(PacingVerdict.at) ?? pacing.verdict(kind, limits, at: now)
      guard verdict == .now else { return (verdict, false) }
      pacing.record(PacedSend(number: number, owner: owner, sentAt: now), kind)
      return (verdict, true)
    }
  }

  /// Records the answer to a permit's write. If the file can't be written now, the next access to it does that, before
  /// which nothing is sent. The wait of a refusal holds in this process from the call on.
  public nonisolated func finish(_ permit: SendPermit, _ answer: PacedAnswer) async {
    note(answer, to: permit)
    await finishCounted(permit, answer)
  }

  private nonisolated func note(_ answer: PacedAnswer, to permit: SendPermit) {
    guard case .refused(let retryAfter) = answer else { return }
    let until = PacingState.blockedUntil(after: retryAfter, at: clock.uptime)
    refusals.withLock { $0[permit.number] = until }
    // Counts the refusal after its wait is stored: a task that sees the new number must see the wait, too.
    outdatePermits()
  }

  /// Forgets a refusal once the file says it, or will before anything else is let through.
  private nonisolated func forget(_ permit: SendPermit) {
    _ = refusals.withLock { $0.removeValue(forKey: permit.number) }
  }

  /// Takes back a permit with which nothing was sent.
  public func cancel(_ permit: SendPermit) {
    if kinds.removeValue(forKey: permit.number) != nil { apply { $0.cancel(permit.number) } }
  }

  private func finishCounted(_ permit: SendPermit, _ answer: PacedAnswer) {
    defer { forget(permit) }
    if let kind = kinds.removeValue(forKey: permit.number) { record(answer, to: permit, kind) }
  }

  private func record(_ answer: PacedAnswer, to permit: SendPermit, _ kind: WriteKind) {
    let now = clock.uptime
    apply { $0.record(answer, to: permit.number, kind, at: now) }
  }

  /// Returns the state that all programs of this host share, as of now.
  ///
  /// - Throws: `PacingFailure` where the file can't be read or locked.
  public func snapshot() throws -> HostPacing {
    try update { pacing, _ in (pacing, false) }
  }

  /// Ends the wait that the API has asked all programs of this host for, as an operator may who knows better; those
  /// that wait go on within `waitMax`. The gear stays the safe one.
  ///
  /// - Returns: True if there was a wait.
  /// - Throws: `PacingFailure` where the file can't be read, locked or written.
  @discardableResult
  public func endWait() throws -> Bool {
    let now = clock.uptime
    let wasRefused = refusedUntil != nil
    let wasAsked = try update { pacing, _ in (pacing.endWait(at: now), true) }
    refusals.withLock { $0.removeAll() }
    return wasAsked || wasRefused
  }

  private func apply(_ change: @escaping @Sendable (inout HostPacing) -> Void) {
    pending.append(change)
    // Leaves a change that fails in `pending`, and `reserve` tells about it: without this write it lets nothing
    // through.
    _ = try? update { _, _ in ((), false) }
  }

  /// Reads, changes and writes the state under its lock. `body` also returns true if it changed the state.
  private func update<Result>(_ body: (inout HostPacing, Duration) -> (Result, Bool)) throws -> Result {
    let result = try file.access(bytesMax: PacerRecord.bytesMax) { bytes in
      let now = clock.uptime
      var (pacing, isOfThisBoot) = load(bytes, at: now)
      for change in pending { change(&pacing) }
      // Stores what has expired: a send that was answered "just now" at each look would hold up sending for ever.
      let hasExpired = pacing.expireOrphans(at: now, leaseMax: Self.leaseMax) { send in
        send.owner == owner && kinds[send.number] == nil
      }
      let (result, isChanged) = body(&pacing, now)
      let isToWrite = isChanged || hasExpired || !pending.isEmpty || !isOfThisBoot
      let record = PacerRecord(bootID: bootID, savedAt: now, pacing: pacing)
      if isToWrite { persisted?.keep(record) }
      return (result, isToWrite ? try record.encoded() : nil)
    }
    pending = []
    hasLooked = true
    return result
  }

  /// Returns the state in a file: the kept one, or an empty one for a new file; for a file that can't be read, one in
  /// which nothing is known of the last minute.
  private func load(_ bytes: [UInt8]?, at now: Duration) -> (pacing: HostPacing, isOfThisBoot: Bool) {
    if let record = bytes.flatMap(PacerRecord.init) {
      return (record.pacing(inBoot: bootID, at: now), record.bootID == bootID)
    }
    let isRemoved = bytes == nil && hasLooked
    if !isRemoved, let kept = persisted?.pacing(inBoot: bootID, at: now) { return (kept, false) }
    return (bytes == nil ? HostPacing() : .full(at: now), false)
  }
}
