import Conversions

/// Tells the promised success from everything else, and makes of everything else what a verdict can rest on.
struct AnswerReader: Sendable {
  /// The most of an error's code, in characters.
  static let codeMax = 64
  /// The most of an error's message, in characters.
  static let messageMax = 300
  /// The most that is looked at of any of them, in characters.
  private static let lookedAtMax = 4096
  /// The most of an error's fields.
  static let fieldsMax = 20

  /// The key, so that it can be taken out of whatever is told.
  let apiKey: APIKey
  /// For a Retry-After date in an answer without a date.
  let clock: any HostClock

  /// Reads an answer whose success has a promised shape.
  func read<Success>(
    _ result: Result<HTTPAnswer, TransportFailure>,
    _ shape: (JSONValue) throws(ShapeMismatch) -> Success
  ) -> APIAnswer<Success> {
    switch result {
    case .failure(let failure): return .transport(told(failure))
    case .success(let answer):
      let head = head(answer)
      guard (200...299).contains(answer.status) else { return .failure(failure(answer, head), head) }
      do {
        // A key that the API repeats in a referral must not get into the ledger.
        return .success(try shape(try JSONParser.parse(apiKey.redacted(answer.body))), head)
      } catch {
        // Both errors name a place and no value.
        let message = "\(summary(answer)): \(error)"
        return .failure(APIFailure(code: nil, message: told(message), isMalformed: true), head)
      }
    }
  }

  /// Reads an answer of which nothing but its status is promised.
  func readStatus(_ result: Result<HTTPAnswer, TransportFailure>) -> APIAnswer<Void> {
    switch result {
    case .failure(let failure): return .transport(told(failure))
    case .success(let answer):
      let head = head(answer)
      return (200...299).contains(answer.status) ? .success((), head) : .failure(failure(answer, head), head)
    }
  }

  private func head(_ answer: HTTPAnswer) -> AnswerHead {
    let date = answer.date.flatMap { HTTPDate.parse($0, now: clock.now) }
    return AnswerHead(status: answer.status, date: date, duration: answer.duration)
  }

  /// API reference, Errors; leniently, as a proxy in between has its own idea of an error.
  private func failure(_ answer: HTTPAnswer, _ head: AnswerHead) -> APIFailure {
    let error = (try? JSONParser.parse(answer.body))?["error"]
    let code = error?["code"]?.text.map { told($0, charactersMax: Self.codeMax) }
    let retryAfter = RetryAfter.wait(
      header: answer.retryAfter, milliseconds: error?["retryAfterMs"], date: head.date, now: clock.now,
      isLimit: head.status == 429)
    guard let code, !code.isEmpty else {
      return APIFailure(code: nil, message: summary(answer), retryAfter: retryAfter, isMalformed: true)
    }
    let fields = (error?["fields"]?.elements ?? []).prefix(Self.fieldsMax).compactMap { field in
      field["field"]?.text.map {
        APIFailure.Field(
          field: told($0, charactersMax: Self.codeMax), message: told(field["message"]?.text ?? ""))
      }
    }
    return APIFailure(
      code: code, message: told(error?["message"]?.text ?? summary(answer)), fields: fields, retryAfter: retryAfter)
  }

  /// Such as "HTTP 502, text/html".
  private func summary(_ answer: HTTPAnswer) -> String {
    let type = answer.contentType.map { $0.prefix { $0 != ";" } }.map(String.init) ?? "without a content type"
    let redirect = (300...399).contains(answer.status) ? ", a redirect that was not followed" : ""
    return "HTTP \(answer.status), \(told(type, charactersMax: Self.codeMax))\(redirect)"
  }

  private func told(_ failure: TransportFailure) -> TransportFailure {
    var failure = failure
    failure.message = told(failure.message)
    return failure
  }

  /// A text from outside, fit for a log line: without the key, without control characters, and not too long.
  private func told(_ text: String, charactersMax: Int = Self.messageMax) -> String {
    // Some of the text is enough, but much more than is kept: what stands in for the key is shorter than the key, so a key
    // that was cut at the end could move up into what is kept. Counted in scalars, as a character can be of any length.
    let beginning = String(text.unicodeScalars.prefix(Self.lookedAtMax))
    var result = String.UnicodeScalarView()
    for scalar in apiKey.redacted(beginning).unicodeScalars.prefix(charactersMax) {
      let isPlain = !scalar.properties.isNoncharacterCodePoint && !isInvisible(scalar)
      result.append(isPlain ? scalar : " ")
    }
    return MaskedText.withoutAddresses(String(result))
  }

  /// Control characters, line and paragraph separators, and the marks that turn the writing direction.
  private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format: true
    default: false
    }
  }
}
