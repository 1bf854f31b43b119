import Conversions

/// One kind of value that a key can have: how it is read, and what its documentation says of it.
struct ValueKind<Value: Sendable>: Sendable {
  /// The values that may be written, for the documentation; `nil` where the key's own words say it.
  var allowed: String?
  /// Reads a value that is not null; appends what is wrong and returns `nil` where it is no such value.
  var read: @Sendable (YAMLValue, inout [Finding]) -> Value?

  /// Reads one text; `parse` returns the value or throws what is wrong with it.
  static func text(
    _ expected: String, allowed: String? = nil, parse: @escaping @Sendable (String) throws(Refusal) -> Value
  ) -> Self {
    ValueKind(allowed: allowed) { value, findings in
      if case .refused = value.content { return nil }
      guard let text = value.text else {
        findings.append(Finding(position: value.position, message: "\(value.shown) is not \(expected)"))
        return nil
      }
      do throws(Refusal) {
        return try parse(text)
      } catch {
        let message = error.message ?? "\(value.shown) is not \(expected)"
        findings.append(Finding(position: value.position, message: message))
        return nil
      }
    }
  }

  /// The same kind for a property that may be `nil`.
  var orNull: ValueKind<Value?> {
    ValueKind<Value?>(allowed: allowed) { [read] value, findings in
      read(value, &findings).map { .some($0) }
    }
  }

  /// The reason why a text is not a value of a kind.
  struct Refusal: Error {
    /// The whole message; where `nil`, that the text is not what was expected.
    var message: String?
  }
}

extension ValueKind where Value: Comparable {
  /// A value in these limits; `less` and `more` say of one beyond them what it is too much of.
  private static func limited(
    to limits: ClosedRange<Value>, _ expected: String, less: String, more: String,
    parse: @escaping @Sendable (String) -> Value?, write: (Value) -> String
  ) -> Self {
    let (least, most) = (write(limits.lowerBound), write(limits.upperBound))
    return .text(expected, allowed: "\(least) to \(most)") { text throws(Refusal) in
      guard let value = parse(text) else { throw Refusal() }
      if value < limits.lowerBound { throw Refusal(message: "\(Shown.text(text)) is too \(less); at least \(least)") }
      if value > limits.upperBound { throw Refusal(message: "\(Shown.text(text)) is too \(more); at most \(most)") }
      return value
    }
  }
}

extension ValueKind where Value == Duration {
  /// A duration in these limits.
  static func duration(_ limits: ClosedRange<Duration>) -> Self {
    limited(
      to: limits, "a duration; write a whole number and ms, s, m, h or d, such as 5s", less: "short", more: "long",
      parse: { DurationText.parse($0) }, write: { DurationText.write($0) })
  }
}

extension ValueKind where Value == Int64 {
  /// A size in bytes in these limits.
  static func size(_ limits: ClosedRange<Int64>) -> Self {
    limited(
      to: limits, "a size; write a whole number and KiB, MiB, GiB or TiB, such as 2GiB", less: "small", more: "large",
      parse: { SizeText.parse($0) }, write: { SizeText.write($0) })
  }
}

extension ValueKind where Value == RateLimit {
  /// The largest rate: more a minute than any API takes, and few enough to divide by.
  private static var perMinuteMax: Int { 1_000_000 }

  /// A number of requests a minute.
  static var rate: Self {
    let expected = "a rate; write a whole number from 1, or unlimited"
    return .text(expected, allowed: "a whole number from 1, or unlimited") { text throws(Refusal) in
      if text == "unlimited" { return .unlimited }
      guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let count = Int(text), count >= 1 else {
        throw Refusal()
      }
      guard count <= perMinuteMax else { throw Refusal(message: "\(Shown.text(text)) is too many; write unlimited") }
      return .perMinute(count)
    }
  }
}

extension ValueKind where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
  /// One of the cases, by its raw value.
  static var choice: Self {
    let words = Value.allCases.map(\.rawValue)
    let list = words.joined(separator: ", ")
    return .text("one of \(list)", allowed: list) { text throws(Refusal) in
      guard let value = Value(rawValue: text) else {
        let hint = Suggestion.phrase(for: text, among: words)
        throw Refusal(message: "\(Shown.text(text)) is not one of \(list)\(hint)")
      }
      return value
    }
  }
}

extension ValueKind {
  /// A list of values of one kind, each given once. Only where `lone` is set may a single value stand for itself.
  static func list<Element: Hashable>(
    of kind: ValueKind<Element>, example: String, lone: Bool = false, emptyIs: String? = nil
  ) -> ValueKind<[Element]> where Value == [Element] {
    let allowed = kind.allowed.map { "a list of \($0)" }
    return ValueKind<[Element]>(allowed: allowed) { value, findings in
      switch value.content {
      case .refused: return nil
      case .list(let items):
        if items.isEmpty, let emptyIs {
          findings.append(Finding(position: value.position, message: emptyIs))
          return nil
        }
        return read(items, kind: kind, findings: &findings)
      case .scalar where lone: return kind.read(value, &findings).map { [$0] }
      case .scalar, .mapping:
        let message = "\(value.shown) is not a list; write \(example)"
        findings.append(Finding(position: value.position, message: message))
        return nil
      }
    }
  }

  private static func read<Element: Hashable>(
    _ items: [YAMLValue], kind: ValueKind<Element>, findings: inout [Finding]
  ) -> [Element]? {
    var elements: [Element] = []
    var isWhole = true
    for item in items {
      guard let element = kind.read(item, &findings) else {
        isWhole = false
        continue
      }
      if elements.contains(element) {
        findings.append(Finding(position: item.position, message: "\(item.shown) is in the list twice"))
        isWhole = false
      }
      elements.append(element)
    }
    return isWhole ? elements : nil
  }
}
