public import Conversions

extension Configuration {
  /// The keys under `reporting:`.
  public struct Reporting: Sendable, Equatable {
    /// The time for which a report waits after its order was placed.
    public var hold = Duration.zero
    /// The treatment of an order in another currency than the API takes.
    public var otherCurrency = AmountRules.OtherCurrency.review
    /// The fields that are sent as metadata, in the order of the file.
    public var metadata: [Order.MetadataEntry] = []
    /// The time for which a report is tried before a person decides.
    public var giveUpAfter = Duration.seconds(30 * 86_400)

    /// Sets the documented defaults.
    public init() {}
  }
}
