import Conversions
import Synchronization
import TestHosts

/// The partners API in memory: what the reference says, with faults to order.
final class ModelAPI: PartnersService {
  struct State {
    var table = ReferralTable()
    /// The referral that each transaction ID converted.
    var transactions: [String: ReferralID] = [:]
    /// True if a replay gets the first answer again; if not, every second report is a 409.
    var replays = true
    /// The faults of the next reports, one each.
    var convertFaults: [ConvertFault?] = []
    /// Transaction IDs whose reports always fail with 500.
    var poisoned: Set<String> = []
    /// The faults of the next reads, one each: the status answered, 0 for no answer, or -1 for one cancelled elsewhere.
    var readFaults: [Int?] = []
    /// The fault of everything, reads and reports, for as long as it is set: `refused`, `requestLost` or a status.
    var down: ConvertFault?
    /// Drawn from when no fault is ordered.
    var chance: (generator: SeededGenerator, probability: Double)?
    /// The time by which the API's clock is ahead; nil for answers without a Date.
    var clockAhead: Duration? = .zero
    /// The fault of every search for as long as it is set.
    var searchFault: SearchFault?
    var listLatency = Duration.zero
    var convertLatency = Duration.zero
    var queries: [ReferralQuery] = []
    var gets: [ReferralID] = []
    var sent: [ConversionReport] = []
    /// Reports that were done: each converted a referral, once.
    var done: [ConversionReport] = []
    var permit: UInt64 = 0
    var permits: Set<UInt64> = []
    var wasted = 0
    var violations: [String] = []
    /// The bytes of reports that may have been done.
    var doubtful: [String: ConversionReport] = [:]
    var onList: (@Sendable (ReferralQuery) async -> Void)?
    var onGet: (@Sendable (ReferralID) async -> Void)?
    var onReserve: (@Sendable () async throws -> Void)?
    var onConvert: (@Sendable (ConversionReport) async -> Void)?
  }

  let state = Mutex(State())
  let activity: Activity
  let clock: VirtualClock

  init(_ activity: Activity, _ clock: VirtualClock) {
    self.activity = activity
    self.clock = clock
  }

  func put(_ referral: Referral) { state.withLock { $0.table.put(referral) } }

  func change(_ id: String, _ change: (inout Referral) -> Void) {
    state.withLock { state in
      guard var referral = state.table.referrals[ReferralID(id)] else { return }
      change(&referral)
      state.table.put(referral)
    }
  }

  /// Another program of the partner's reports a conversion.
  func convertElsewhere(_ id: String, value: Int64? = 1, transactionID: String = "elsewhere") {
    let now = clock.trueTime
    state.withLock { state in
      // A referral converts once, by whatever program.
      guard var referral = state.table.referrals[ReferralID(id)], referral.status.isOpen else { return }
      (referral.status, referral.convertedAt, referral.conversionValue) = (.converted, now, value)
      state.table.put(referral)
      state.transactions["\(transactionID)-\(id)"] = ReferralID(id)
    }
  }

  func violate(_ words: String) { state.withLock { $0.violations.append(words) } }

  func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage> {
    let (hook, latency, fault) = state.withLock { state in
      state.queries.append(query)
      return (state.onList, state.listLatency, query.search == nil ? nil : state.searchFault)
    }
    if let hook {
      activity.begin()
      await hook(query)
      activity.end()
    }
    switch fault {
    case .status(let status)?:
      return .failure(APIFailure(code: "CODE", message: "no search"), AnswerHead(status: status))
    case .slow(let wait)?: return await read(latency: latency + wait) { $0.table.page(query) }
    default: return await read(latency: latency) { fault?.distort($0.table.page(query)) ?? $0.table.page(query) }
    }
  }

  func referral(_ id: ReferralID) async -> APIAnswer<Referral> {
    let hook = state.withLock { state in
      state.gets.append(id)
      return state.onGet
    }
    if let hook {
      activity.begin()
      await hook(id)
      activity.end()
    }
    return await read(latency: .zero) { $0.table.referrals[id] }
  }

  private func read<Value: Sendable>(latency: Duration, _ body: (State) -> Value?) async -> APIAnswer<Value> {
    activity.note()
    if latency > .zero, (try? await clock.sleep(for: latency)) == nil { return .transport(.cancelled) }
    let (fault, down) = state.withLock { ($0.nextReadFault(), $0.down) }
    if down == .refused { return .transport(.refused) }
    switch fault {
    case .none: break
    case .some(0): return .transport(.timedOut)
    case .some(-1): return .transport(.cancelled)
    case .some(-2): return .transport(.tls)
    case .some(let status): return .failure(APIFailure(code: "CODE", message: "ordered"), AnswerHead(status: status))
    }
    let date = state.withLock { $0.clockAhead }.map { ahead in
      Timestamp(milliseconds: (clock.trueTime + ahead).milliseconds / 1000 * 1000)
    }
    guard let value = state.withLock({ body($0) }) else {
      return .failure(APIFailure(code: "NOT_FOUND", message: "no such referral"), AnswerHead(status: 404, date: date))
    }
    return .success(value, AnswerHead(status: 200, date: date, duration: latency))
  }

  func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt> { .transport(.cancelled) }

  func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void> { .transport(.cancelled) }

  func reserveConversion() async throws -> SendPermit {
    activity.note()
    if let hook = state.withLock({ $0.onReserve }) { try await hook() }
    try Task.checkCancellation()
    return state.withLock { state in
      state.permit += 1
      state.permits.insert(state.permit)
      return SendPermit(number: state.permit)
    }
  }

  func cancel(_ permit: SendPermit) async {
    activity.note()
    state.withLock { state in
      if state.permits.remove(permit.number) != nil { state.wasted += 1 }
    }
  }

  func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt> {
    activity.begin()
    let (hook, latency, fault) = state.withLock { state in
      if state.permits.remove(permit.number) == nil { state.violations.append("a report without a permit") }
      state.checkBytes(report)
      state.sent.append(report)
      let isPoisoned = state.poisoned.contains(report.transactionID.text)
      let fault = isPoisoned ? ConvertFault.internalError : state.nextConvertFault()
      if fault?.isUnknown == true { state.doubtful[report.transactionID.text] = report }
      return (state.onConvert, state.convertLatency, fault)
    }
    if let hook { await hook(report) }
    activity.end()
    var wait = latency
    if case .slow(let duration)? = fault { wait = duration }
    if wait > .zero, (try? await clock.sleep(for: wait)) == nil {
      state.withLock { $0.doubtful[report.transactionID.text] = report }
      return .transport(.cancelled)
    }
    let now = clock.trueTime
    return state.withLock { $0.answer(report, fault: fault, now: now) }
  }
}

extension TransportFailure {
  static let cancelled = Self(kind: .cancelled, message: "cancelled", mayHaveBeenDone: true)
  static let timedOut = Self(kind: .timeout, message: "timed out", mayHaveBeenDone: true)
  static let refused = Self(kind: .connection, message: "connection refused", mayHaveBeenDone: false)
  static let tls = Self(kind: .tls, message: "certificate has expired", mayHaveBeenDone: false)
}
