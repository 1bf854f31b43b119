import Conversions

/// Tells the promised success from everything else, and turns everything else into a failure that a verdict can rest
/// on.
struct AnswerReader: Sendable {
  /// The longest code of an error, in characters.
  static let codeMax = 64
  /// The longest message of an error, in characters.
  static let messageMax = 300
  /// The most that is read of any of them, in characters.
  private static let lookedAtMax = 4096
  /// The most fields of an error.
  static let fieldsMax = 20

  /// The key, which is taken out of every text that is told.
  let apiKey: APIKey
  /// The clock for a Retry-After date in an answer without a date.
  let clock: any HostClock

  /// Reads an answer whose success has a promised shape.
  func read<Success>(
    _ result: Result<HTTPAnswer, TransportFailure>,
    _ shape: (JSONValue) throws(ShapeMismatch) -> Success
  ) -> APIAnswer<Success> {
    switch result {
    case .failure(let failure): return .transport(masked(failure))
    case .success(let answer):
      let head = head(answer)
      guard (200...299).contains(answer.status) else { return .failure(failure(answer, head), head) }
      do {
        // Takes the key out first: one that the API repeats in a referral must not get into the ledger.
        return .success(try shape(try JSONParser.parse(apiKey.redacted(answer.body))), head)
      } catch {
        // Repeats the error: both kinds name a place and no value.
        let message = "\(summary(answer)): \(error)"
        return .failure(APIFailure(code: nil, message: masked(message), isMalformed: true), head)
      }
    }
  }

  /// Reads an answer of which nothing but its status is promised.
  func readStatus(_ result: Result<HTTPAnswer, TransportFailure>) -> APIAnswer<Void> {
    switch result {
    case .failure(let failure): return .transport(masked(failure))
    case .success(let answer):
      let head = head(answer)
      return (200...299).contains(answer.status) ? .success((), head) : .failure(failure(answer, head), head)
    }
  }

  private func head(_ answer: HTTPAnswer) -> AnswerHead {
    let date = answer.date.flatMap { HTTPDate.parse($0, now: clock.now) }
    return AnswerHead(status: answer.status, date: date, duration: answer.duration)
  }

  /// Reads an error (API reference, Errors), leniently, as a proxy in between has a form of its own.
  private func failure(_ answer: HTTPAnswer, _ head: AnswerHead) -> APIFailure {
    let error = (try? JSONParser.parse(answer.body))?["error"]
    let code = error?["code"]?.text.map { masked($0, charactersMax: Self.codeMax) }
    let retryAfter = RetryAfter.wait(
      header: answer.retryAfter, milliseconds: error?["retryAfterMs"], date: head.date, now: clock.now,
      isLimit: head.status == 429)
    guard let code, !code.isEmpty else {
      return APIFailure(code: nil, message: summary(answer), retryAfter: retryAfter, isMalformed: true)
    }
    let fields = (error?["fields"]?.elements ?? []).prefix(Self.fieldsMax).compactMap { field in
      field["field"]?.text.map {
        APIFailure.Field(
          field: masked($0, charactersMax: Self.codeMax), message: masked(field["message"]?.text ?? ""))
      }
    }
    return APIFailure(
      code: code, message: masked(error?["message"]?.text ?? summary(answer)), fields: fields, retryAfter: retryAfter)
  }

  /// Returns a summary such as "HTTP 502, text/html".
  private func summary(_ answer: HTTPAnswer) -> String {
    let type = answer.contentType.map { $0.prefix { $0 != ";" } }.map(String.init) ?? "without a content type"
    let redirect = (300...399).contains(answer.status) ? ", a redirect that was not followed" : ""
    return "HTTP \(answer.status), \(masked(type, charactersMax: Self.codeMax))\(redirect)"
  }

  private func masked(_ failure: TransportFailure) -> TransportFailure {
    var failure = failure
    failure.message = masked(failure.message)
    return failure
  }

  /// Returns a text from outside, fit for a log line: without the key, without control characters, and not too long.
  private func masked(_ text: String, charactersMax: Int = Self.messageMax) -> String {
    // Reads much more than is kept: the text that stands in for the key is shorter than the key, so a key that was cut
    // at the end could move up into what is kept. Counts scalars, as a character can be of any length.
    let beginning = String(text.unicodeScalars.prefix(Self.lookedAtMax))
    var result = String.UnicodeScalarView()
    for scalar in apiKey.redacted(beginning).unicodeScalars.prefix(charactersMax) {
      let isPlain = !scalar.properties.isNoncharacterCodePoint && !isInvisible(scalar)
      result.append(isPlain ? scalar : " ")
    }
    return MaskedText.withoutAddresses(String(result))
  }

  /// True for control characters, line and paragraph separators, and the marks that turn the writing direction.
  private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format: true
    default: false
    }
  }
}
