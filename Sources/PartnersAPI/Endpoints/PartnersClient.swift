public import Conversions

/// The partners API over HTTPS: five endpoints, typed, paced, and never retried by themselves.
public struct PartnersClient: PartnersService {
  /// The most writes that are under way at once.
  static let writeConnectionsMax = PacingRules.inFlightMax
  /// The most reads that are under way at once: one for each attempt, as a question before a send must not wait for a slow
  /// page, and the mirror's.
  static let readConnectionsMax = PacingRules.inFlightMax + 1

  private let baseURL: PartnersBaseURL
  private let reader: AnswerReader
  private let reads: CurlMulti
  private let writes: CurlMulti
  private let readLimiter: ReadLimiter
  private let pacer: WritePacer

  /// A client of one account.
  ///
  /// - Parameters:
  ///   - baseURL: The API's base URL.
  ///   - apiKey: The key of the account.
  ///   - version: This program's version, for the User-Agent.
  ///   - timeout: The deadline of one whole exchange.
  ///   - readsPerMinute: The courtesy limit on reads, kept by this client alone.
  ///   - pacer: The pacer of the host and the base URL, which keeps the limits on writes.
  ///   - clock: The host's clocks.
  public init(
    baseURL: PartnersBaseURL, apiKey: APIKey, version: String, timeout: Duration = .seconds(30),
    readsPerMinute: RateLimit = .perMinute(120), pacer: WritePacer, clock: any HostClock = SystemClock()
  ) {
    self.init(
      baseURL: baseURL,
      options: HTTPOptions(
        apiKey: apiKey, userAgent: "conversiond/\(version)", timeout: timeout, bypassesProxies: baseURL.isLoopback),
      readsPerMinute: readsPerMinute, pacer: pacer, clock: clock)
  }

  init(
    baseURL: PartnersBaseURL, options: HTTPOptions, readsPerMinute: RateLimit, pacer: WritePacer,
    clock: any HostClock
  ) {
    self.baseURL = baseURL
    self.pacer = pacer
    reader = AnswerReader(apiKey: options.apiKey, clock: clock)
    reads = CurlMulti(options, transfersMax: Self.readConnectionsMax)
    writes = CurlMulti(options, transfersMax: Self.writeConnectionsMax)
    readLimiter = ReadLimiter(readsPerMinute, clock: clock)
  }

  /// Sends GET /referrals.
  public func list(_ query: ReferralQuery) async -> APIAnswer<ReferralPage> {
    await read(RequestPaths.list(query), ReferralShapes.page)
  }

  /// Sends GET /referrals/{referralId}.
  public func referral(_ id: ReferralID) async -> APIAnswer<Referral> {
    guard let path = RequestPaths.referral(id) else { return Self.impossibleID() }
    return await read(path) { value throws(ShapeMismatch) in
      let referral = try ReferralShapes.referral(value)
      guard referral.id == id else { throw ShapeMismatch("referral.referralId is not the one that was asked for") }
      return referral
    }
  }

  /// Sends POST /referrals.
  public func create(_ draft: ReferralDraft) async -> APIAnswer<ReferralReceipt> {
    await write(.post, "/referrals", RequestBodies.create(draft)) { reader.read($0, ReferralShapes.created) }
  }

  /// Sends PATCH /referrals/{referralId}.
  public func update(_ id: ReferralID, _ change: ReferralChange) async -> APIAnswer<Void> {
    guard let path = RequestPaths.referral(id) else { return Self.impossibleID() }
    return await write(.patch, path, RequestBodies.update(change)) { reader.readStatus($0) }
  }

  /// Waits until the limits allow one conversion, and reserves it.
  ///
  /// - Throws: `CancellationError`; `PacingFailure` where the shared state can't be kept.
  public func reserveConversion() async throws -> SendPermit { try await pacer.reserve(.conversion) }

  /// Sends POST /referrals/{referralId}/convert with the report's frozen body; ends the permit, whatever comes.
  public func convert(_ report: ConversionReport, permit: SendPermit) async -> APIAnswer<ConversionReceipt> {
    guard let path = RequestPaths.referral(report.referralID, "/convert") else {
      await pacer.cancel(permit)
      return Self.impossibleID()
    }
    // Checks the permit again: since it was given, the order was looked at, read again and frozen, and the answer to
    // another conversion may have come.
    guard pacer.isGood(permit) else {
      await pacer.cancel(permit)
      return .transport(Self.untimely)
    }
    let request = HTTPRequest(method: .post, url: baseURL.text + path, body: report.body)
    let result = await writes.send(request)
    let answer = reader.read(result, ReferralShapes.converted)
    // Nothing more is to be sent before a person has changed something, not even what is being made ready.
    if answer.haltReason(in: .send) != nil { pacer.outdatePermits() }
    await pacer.finish(permit, answer.paced)
    return answer
  }

  /// Gives a permit back unused.
  public func cancel(_ permit: SendPermit) async { await pacer.cancel(permit) }

  /// Ends the wait that the API has asked for, of reads and of writes.
  ///
  /// - Returns: True if writes had to wait.
  /// - Throws: `PacingFailure` where the shared state can't be kept.
  @discardableResult
  public func endWait() async throws -> Bool {
    readLimiter.endWait()
    return try await pacer.endWait()
  }

  private func read<Success: Sendable>(
    _ path: String, _ shape: (JSONValue) throws(ShapeMismatch) -> Success
  ) async -> APIAnswer<Success> {
    do {
      try await readLimiter.take()
    } catch {
      return .transport(Self.notSent(error))
    }
    let result = await reads.send(HTTPRequest(method: .get, url: baseURL.text + path, body: nil))
    let answer = reader.read(result, shape)
    if case .refused(let retryAfter) = answer.paced { readLimiter.refuse(retryAfter: retryAfter) }
    return answer
  }

  private func write<Success: Sendable>(
    _ method: HTTPMethod, _ path: String, _ body: [UInt8],
    _ read: (Result<HTTPAnswer, TransportFailure>) -> APIAnswer<Success>
  ) async -> APIAnswer<Success> {
    let permit: SendPermit
    do {
      permit = try await pacer.reserve(.referral)
    } catch {
      return .transport(Self.notSent(error))
    }
    let answer = read(await writes.send(HTTPRequest(method: method, url: baseURL.text + path, body: body)))
    await pacer.finish(permit, answer.paced)
    return answer
  }

  private static func notSent(_ error: any Error) -> TransportFailure {
    let isCancelled = error is CancellationError
    return TransportFailure(
      kind: isCancelled ? .cancelled : .connection, message: isCancelled ? "cancelled" : "\(error)",
      mayHaveBeenDone: false)
  }

  private static let untimely = TransportFailure(
    kind: .withdrawn, message: "not sent: it was made ready for too long, or the API would not have it of another",
    mayHaveBeenDone: false)

  /// Returns the answer that the API would have to give for an ID that no URL can hold. Nothing is sent.
  private static func impossibleID<Success>() -> APIAnswer<Success> {
    let message = "not sent: the referral ID is empty, of dots alone, or longer than \(ReferralID.bytesMax) bytes"
    return .failure(APIFailure(code: nil, message: message), AnswerHead(status: 400))
  }
}

extension APIAnswer {
  /// The part of the answer that a pacer takes in.
  var paced: PacedAnswer {
    guard case .failure(let failure, let head) = self, head.status == 429 else { return .notRefused }
    return .refused(retryAfter: failure.retryAfter)
  }
}
