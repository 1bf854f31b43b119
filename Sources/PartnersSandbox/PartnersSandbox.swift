/// Serves the partners API on this machine: API reference to the letter, with faults on demand.
///
/// ```swift
/// let sandbox = PartnersSandbox(SandboxConfiguration())
/// let address = try await sandbox.start()
/// // … requests to address.baseURL …
/// await sandbox.stop()
/// ```
///
/// Runs every rule of the API as an actor, one request after the other, and no connection waits for another's client.
/// Its content survives `stop()`, and a later `start()` listens on the same port, which makes an outage.
public actor PartnersSandbox {
  /// The configuration that the sandbox was made with.
  public nonisolated let configuration: SandboxConfiguration
  private let clock: SandboxClock
  private let onRequest: (@Sendable (SandboxRequestRecord) -> Void)?
  /// The API's rules, with the referrals and counters that they keep.
  var service: PartnersEndpoints
  private var faults: FaultBook
  private var log: RequestLog
  private var random: SeededRandom
  private var writesInFlight = 0
  private var writesInFlightMax = 0
  private var requests = 0
  private var struck = 0
  private var serving: Task<Void, Never>?
  private var listening: SandboxAddress?
  private var port: UInt16

  /// Creates a sandbox that doesn't listen yet.
  ///
  /// - Parameters:
  ///   - configuration: The sandbox's behaviour.
  ///   - seed: Referrals to begin with.
  ///   - clock: The source of the time.
  ///   - onRequest: Called once for each request to the API, when its answer is ready to be sent; on the
  ///     sandbox's executor, so it has to be quick.
  public init(
    _ configuration: SandboxConfiguration = SandboxConfiguration(), seed: SandboxSeed? = nil,
    clock: SandboxClock = .system, onRequest: (@Sendable (SandboxRequestRecord) -> Void)? = nil
  ) {
    self.configuration = configuration
    self.clock = clock
    self.onRequest = onRequest
    service = PartnersEndpoints(configuration)
    faults = FaultBook(seed: configuration.seed)
    random = SeededRandom(seed: configuration.seed ^ 0x1A7E)
    log = RequestLog(recordsMax: configuration.requestLogMax)
    port = configuration.port
    let now = clock.now.wallMilliseconds
    for referral in (seed?.referrals ?? []).inOrderOfCreation(now: now) {
      service.store.put(referral.owned(by: configuration.firstPartner), now: now)
    }
  }
}

// MARK: - Listening

extension PartnersSandbox {
  /// Begins to listen, and returns the address. Does nothing if it listens already.
  ///
  /// - Throws: `SandboxError` if the host is not to be listened on, or can't be.
  @discardableResult
  public func start() async throws -> SandboxAddress {
    if let listening { return listening }
    guard configuration.isLoopback || configuration.allowsOtherHosts else {
      throw SandboxError.notLoopback(host: configuration.host)
    }
    let listener: HTTPListener
    do {
      listener = try await HTTPListener(host: configuration.host, port: port)
    } catch {
      throw SandboxError.cannotListen(
        host: configuration.host, port: port, reason: HTTPListener.reason(error))
    }
    let address = SandboxAddress(host: listener.host, port: listener.port)
    port = listener.port
    listening = address
    serving = Task.detached { [configuration, clock] in
      await listener.run(configuration, clock: clock) { request, client in
        await self.exchange(request, address: client)
      }
    }
    return address
  }

  /// Stops listening and ends every connection; answers that were not sent by then never are.
  public func stop() async {
    guard let serving else { return }
    serving.cancel()
    await serving.value
    self.serving = nil
    listening = nil
  }

  /// Listens until the task is cancelled.
  ///
  /// - Throws: `SandboxError` where it can't listen.
  public func run() async throws {
    try await start()
    while !Task.isCancelled { try? await Task.sleep(for: .seconds(3600)) }
    await stop()
  }

  /// Returns the address once the sandbox listens; for one task to wait for another's `start()` or `run()`.
  ///
  /// - Throws: `CancellationError`.
  public func waitUntilListening() async throws -> SandboxAddress {
    while true {
      if let listening { return listening }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}

// MARK: - Answering

extension PartnersSandbox {
  private func exchange(_ request: SandboxRequest, address: String) async -> Reply {
    if request.path.hasPrefix(ControlService.prefix + "/") { return Reply(response: control(request)) }
    let arrival = clock.now
    let writes = request.method != "GET" && request.method != "HEAD"
    requests += 1
    if writes {
      writesInFlight += 1
      writesInFlightMax = max(writesInFlightMax, writesInFlight)
    }
    defer { if writes { writesInFlight -= 1 } }
    let fault = faults.rules.isEmpty ? nil : faults.strike(FaultBook.Subject(request))
    if fault != nil { struck += 1 }
    let latency = drawLatency()
    if let latency { try? await Task.sleep(for: latency / 2) }
    if case .delay(let delay, false) = fault { try? await Task.sleep(for: delay) }
    if service.search == .slow, request.searches { try? await Task.sleep(for: SandboxSearch.lateness) }
    var response: HTTPResponse?
    if fault?.doesWork ?? true { response = service.answer(request, address: address, now: clock.now) }
    if let latency { try? await Task.sleep(for: latency / 2) }
    if case .delay(let delay, true) = fault { try? await Task.sleep(for: delay) }
    let reply = fault?.reply(response) ?? Reply(response: response ?? HTTPResponse(status: 500))
    record(request, reply, fault: fault, arrival: arrival, address: address)
    return reply
  }

  private func drawLatency() -> Duration? {
    guard let latency = configuration.latency else { return nil }
    let nanoseconds = latency.lowerBound.wholeNanoseconds...latency.upperBound.wholeNanoseconds
    return .nanoseconds(Int64.random(in: nanoseconds, using: &random))
  }

  private func record(
    _ request: SandboxRequest, _ reply: Reply, fault: SandboxFault?, arrival: SandboxTime, address: String
  ) {
    let duration = clock.now.monotonicNanoseconds - arrival.monotonicNanoseconds
    let record = log.add { number in
      SandboxRequestRecord(
        number: number, arrival: arrival, duration: .nanoseconds(duration), address: address, method: request.method,
        target: request.target, body: request.body, status: reply.delivery.isAnswer ? reply.response.status : nil,
        errorCode: reply.delivery.isAnswer ? reply.response.errorCode : nil, fault: fault?.name)
    }
    onRequest?(record)
  }

  private func control(_ request: SandboxRequest) -> HTTPResponse {
    do throws(APIError) {
      switch try ControlService.order(request) {
      case .state: return HTTPResponse(status: 200, json: state.document)
      case .faults: break
      case .addFaults(let rules): faults.add(rules)
      case .removeFaults: faults.removeAll()
      case .search(let search):
        if let search { service.search = search }
        return HTTPResponse(status: 200, json: ["mode": .string(service.search.text)])
      case .putReferrals(let documents):
        let now = clock.now.wallMilliseconds
        let put = try service.store.put(documents, partner: configuration.firstPartner, now: now)
        return HTTPResponse(status: 200, json: ["referrals": .array(put.map(\.documentForControl))])
      }
      return HTTPResponse(status: 200, json: ["rules": .array(faults.rules.map(\.document))])
    } catch {
      return error.response
    }
  }
}

// MARK: - Looking and changing

extension PartnersSandbox {
  /// The sandbox's present state.
  public var state: SandboxState {
    var counters = service.counters
    counters.requests = requests
    counters.faults = struck
    counters.writesInFlightMax = writesInFlightMax
    return SandboxState(
      referrals: service.store.referrals, counters: counters, requests: log.records, faults: faults.rules)
  }

  /// Streams every request to the API from now on, as it is answered; ends once the stream is no longer held.
  public func requestStream() -> AsyncStream<SandboxRequestRecord> { log.stream() }

  /// Adds referrals, or replaces those whose ID exists; returns them, with what was left to choose, by creation.
  ///
  /// - Throws: `SandboxError.clash` where one can't stand beside another; none is put then.
  @discardableResult
  public func put(_ referrals: [SandboxReferral]) throws -> [SandboxReferral] {
    let now = clock.now.wallMilliseconds
    let owned = referrals.map { $0.owned(by: configuration.firstPartner) }.inOrderOfCreation(now: now)
    if let (referral, field, _) = SeedUniqueness.clashes(in: owned).first {
      throw SandboxError.clash(referral: owned[referral].referralID, field: field)
    }
    for referral in owned {
      guard let field = service.store.clash(of: referral) else { continue }
      throw SandboxError.clash(referral: referral.referralID, field: field)
    }
    return owned.map { service.store.put($0, now: now) }
  }

  /// Changes one referral in place, its status or its creation time for instance.
  ///
  /// - Throws: `SandboxError` where there is none of that ID, or it would clash with another.
  @discardableResult
  public func change(_ id: String, _ body: @Sendable (inout SandboxReferral) -> Void) throws -> SandboxReferral {
    guard var referral = service.store.referral(id) else { throw SandboxError.noSuchReferral(id) }
    body(&referral)
    referral.referralID = id
    return try put([referral])[0]
  }

  /// Orders faults, behind those already on order.
  public func order(_ rules: SandboxFaultRule...) { faults.add(rules) }

  /// Takes back every fault on order.
  public func removeFaults() { faults.removeAll() }

  /// Replaces the keys that are accepted and those of partners not approved; takes effect at the next request.
  public func setKeys(_ keys: [String: String], unapproved: Set<String> = []) {
    service.keys = PartnerKeys(partners: keys, unapproved: unapproved)
  }

  /// Replaces both limits, with nothing counted yet; `nil` switches one off.
  public func setLimits(writes: SandboxRateLimit?, conversions: SandboxRateLimit?) {
    service.limits = RateLimits(writes: writes, conversions: conversions)
  }
}
