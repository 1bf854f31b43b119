extension Configuration {
  /// The keys under `reporting:`.
  public struct Reporting: Sendable, Equatable {
    /// The time for which a report waits after its order was placed.
    public var hold = Duration.zero
    /// The treatment of an order in another currency than the API takes.
    public var otherCurrency = OtherCurrency.review
    /// The fields that are sent as metadata, in the order of the file.
    public var metadata: [MetadataField] = []
    /// The time for which a report is tried before a person decides.
    public var giveUpAfter = Duration.seconds(30 * 86_400)

    /// Sets the documented defaults.
    public init() {}
  }
}

extension Configuration.Reporting {
  /// The treatment of an order in another currency than the API takes (API reference, Report a conversion: EUR only).
  public enum OtherCurrency: String, Sendable, CaseIterable {
    /// A person decides.
    case review
    /// It is reported without a value.
    case omitValue = "omit_value"
  }

  /// One key of the metadata and where its value comes from.
  public struct MetadataField: Sendable, Equatable {
    /// The key that is sent.
    public var key: String
    /// The SQL expression, over `orders.from`, that gives the value.
    public var expression: String

    /// Makes a field of this key with the value of this SQL expression.
    public init(key: String, expression: String) {
      self.key = key
      self.expression = expression
    }
  }
}
