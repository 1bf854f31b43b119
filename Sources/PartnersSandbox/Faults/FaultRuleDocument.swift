internal import Foundation

/// Reads faults as JSON, the way `POST /_sandbox/faults` takes them.
///
/// A rule is an object: `match` (`method`, `pathPrefix`, `referralId`, `transactionId`), `after`, `times` (a
/// number, or `"forever"`; 1 unless given), `probability`, and an `action` with what belongs to it:
///
/// | action | with |
/// |---|---|
/// | `status` | `status`, `headers` (an object), `contentType`, `body` (text, or JSON) or `bodyBase64`, `afterWork` |
/// | `delay` | `ms`, `afterWork` |
/// | `hang`, `reset` | `afterWork` |
/// | `truncate` | `bytes` of the body that are still sent |
/// | `loseAnswer` | – |
/// | `trickle` | `ms` a byte, 1000 unless given |
/// | `garbage` | `kind`: `trailing`, `notJson`, `huge` (`bytes`), `deep` (`levels`) |
enum FaultRuleDocument {
  private static let countExpected = "Must be a whole number from 0"
  private static let truthExpected = "Must be true or false"

  /// Reads the rules of a body: a list, `{ "rules": [ … ] }`, or one rule.
  static func rules(_ document: SandboxJSON) throws(APIError) -> [SandboxFaultRule] {
    var rules: [SandboxFaultRule] = []
    var issues: [FieldIssue] = []
    for (index, element) in (document.elements ?? document["rules"]?.elements ?? [document]).enumerated() {
      guard let members = element.members else {
        issues.append(FieldIssue("rules[\(index)]", "Must be an object"))
        continue
      }
      var reader = FieldReader(members)
      let rule = rule(&reader)
      reader.finish { _ in "Unknown field, or not one of this action" }
      issues += reader.issues.map { FieldIssue("rules[\(index)].\($0.field)", $0.message) }
      if let rule { rules.append(rule) }
    }
    guard issues.isEmpty else { throw .validation(issues) }
    return rules
  }

  private static func rule(_ reader: inout FieldReader) -> SandboxFaultRule? {
    let match = match(&reader)
    let after = reader.optional("after", countExpected, FieldReader.count)
    var times: Int? = 1
    if let given = reader.value("times") {
      switch (given.text, FieldReader.count(given)) {
      case ("forever", _): times = nil
      case (_, .some(let count)) where count > 0: times = Int(count)
      default: reader.report("times", "Must be a whole number from 1, or \"forever\"")
      }
    }
    let probability = reader.optional("probability", "Must be a number from 0 to 1") { value -> Double? in
      guard case .number(let literal) = value, let number = Double(literal), (0...1).contains(number) else {
        return nil
      }
      return number
    }
    guard let action = reader.required("action", "Must be the name of an action", \.text) else { return nil }
    guard let fault = fault(action, &reader) else { return nil }
    return SandboxFaultRule(
      fault, on: match, after: after.map(Int.init) ?? 0, times: times, probability: probability ?? 1)
  }

  private static func match(_ reader: inout FieldReader) -> SandboxFaultRule.Match {
    guard let members = reader.optional("match", "Must be an object", \.members) else { return .any }
    var inner = FieldReader(members)
    let match = SandboxFaultRule.Match(
      method: inner.optional("method", "Must be text", \.text),
      pathPrefix: inner.optional("pathPrefix", "Must be text", \.text),
      referralID: inner.optional("referralId", "Must be text", \.text),
      transactionID: inner.optional("transactionId", "Must be text", \.text))
    inner.finish(FieldReader.unknown)
    for issue in inner.issues { reader.report("match.\(issue.field)", issue.message) }
    return match
  }

  private static func fault(_ action: String, _ reader: inout FieldReader) -> SandboxFault? {
    switch action {
    case "status": return answer(&reader)
    case "delay":
      let milliseconds = reader.required("ms", countExpected, FieldReader.count) ?? 0
      return .delay(.milliseconds(milliseconds), afterWork: afterWork(&reader) ?? true)
    case "hang": return .hang(afterWork: afterWork(&reader) ?? false)
    case "reset": return .reset(afterWork: afterWork(&reader) ?? false)
    case "truncate":
      return .truncate(bodyBytes: Int(reader.optional("bytes", countExpected, FieldReader.count) ?? 10))
    case "loseAnswer": return .loseAnswer
    case "trickle":
      return .trickle(every: .milliseconds(reader.optional("ms", countExpected, FieldReader.count) ?? 1000))
    case "garbage": return garbage(&reader)
    default:
      let names = "status, delay, hang, reset, truncate, loseAnswer, trickle, garbage"
      reader.report("action", "Must be one of \(names)")
      return nil
    }
  }

  private static func afterWork(_ reader: inout FieldReader) -> Bool? {
    reader.optional("afterWork", truthExpected, \.truth)
  }

  private static func garbage(_ reader: inout FieldReader) -> SandboxFault? {
    switch reader.required("kind", "Must be text", \.text) {
    case "trailing": return .garbage(.trailing)
    case "notJson": return .garbage(.notJSON)
    case "huge":
      let bytes = reader.optional("bytes", "Must be at most 1 GiB", size) ?? 2 << 20
      return .garbage(.huge(bytes: Int(bytes)))
    case "deep":
      let levels = reader.optional("levels", "Must be at most 1 GiB", size) ?? 1000
      return .garbage(.deep(levels: Int(levels)))
    case nil: return nil
    default:
      reader.report("kind", "Must be one of trailing, notJson, huge, deep")
      return nil
    }
  }

  private static func size(_ value: SandboxJSON) -> Int64? {
    FieldReader.count(value).flatMap { $0 <= 1 << 30 ? $0 : nil }
  }

  private static func answer(_ reader: inout FieldReader) -> SandboxFault? {
    let status = reader.required("status", "Must be a status from 200 to 599") { value -> Int? in
      value.wholeNumber.flatMap { (200...599).contains($0) ? Int($0) : nil }
    }
    let fields = reader.optional("headers", "Must be an object of text without line breaks") { headers($0) }
    let contentType = reader.optional("contentType", "Must be text without line breaks") { headerValue($0) }
    let body = reader.value("body").map { $0.text ?? $0.description }
    let afterWork = afterWork(&reader) ?? false
    let bytes = reader.optional("bodyBase64", "Must be base64") { $0.text.flatMap { Data(base64Encoded: $0) } }
    guard let status else { return nil }
    var answer = SandboxAnswer(
      status, headers: fields ?? [], contentType: contentType ?? "application/json", body: body)
    if let bytes { answer.body = Array(bytes) }
    return .answer(answer, afterWork: afterWork)
  }

  private static func headers(_ value: SandboxJSON) -> [SandboxAnswer.Field]? {
    guard let members = value.members else { return nil }
    let fields = members.compactMap { member in
      headerValue(member.value).map { SandboxAnswer.Field(member.name, $0) }
    }
    return fields.count == members.count ? fields : nil
  }

  private static func headerValue(_ value: SandboxJSON) -> String? {
    guard let text = value.text ?? value.wholeNumber.map(String.init) else { return nil }
    return text.unicodeScalars.contains { $0.value < 0x20 } ? nil : text
  }
}

extension SandboxFaultRule {
  /// The rule as JSON, with the number of times that it is still to strike.
  var document: SandboxJSON {
    var named: [SandboxJSON.Member] = []
    if let method = match.method { named.append(.init("method", .string(method))) }
    if let prefix = match.pathPrefix { named.append(.init("pathPrefix", .string(prefix))) }
    if let id = match.referralID { named.append(.init("referralId", .string(id))) }
    if let id = match.transactionID { named.append(.init("transactionId", .string(id))) }
    var members: [SandboxJSON.Member] = [
      .init("match", .object(named)), .init("after", .integer(after)),
      .init("times", times.map { .integer($0) } ?? "forever"), .init("probability", .number(String(probability))),
      .init("action", .string(fault.name)),
    ]
    if case .answer(let answer, _) = fault { members.append(.init("status", .integer(answer.status))) }
    return .object(members)
  }
}
