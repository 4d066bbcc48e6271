"""Fixed lists that people pick from, as Xero spells the values."""

from __future__ import annotations

from django.db.models import TextChoices


class InvoiceStatus(TextChoices):
    """The status of a new invoice."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved, awaiting payment"


class LineAmountTypes(TextChoices):
    """Whether the prices include tax."""

    EXCLUSIVE = "Exclusive", "Tax exclusive"
    INCLUSIVE = "Inclusive", "Tax inclusive"
    NO_TAX = "NoTax", "No tax"


class QuoteStatus(TextChoices):
    """The status of a new quote."""

    DRAFT = "DRAFT", "Draft"
    SENT = "SENT", "Sent"


class NewQuoteStatus(TextChoices):
    """The statuses that a quote may be set to."""

    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    INVOICED = "INVOICED", "Invoiced"
    DRAFT = "DRAFT", "Draft"


class Timeframe(TextChoices):
    """How long each compared period is."""

    MONTH = "MONTH", "Month"
    QUARTER = "QUARTER", "Quarter"
    YEAR = "YEAR", "Year"


class QuoteLineAmountTypes(TextChoices):
    """Whether the prices include tax; Xero writes it in capitals for quotes."""

    EXCLUSIVE = "EXCLUSIVE", "Tax exclusive"
    INCLUSIVE = "INCLUSIVE", "Tax inclusive"
    NO_TAX = "NOTAX", "No tax"


class DocumentStatus(TextChoices):
    """The status of a new purchase order or credit note."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved"


class CreditNoteType(TextChoices):
    """Whether the credit is for a customer or from a supplier."""

    CUSTOMER = "ACCRECCREDIT", "To a customer"
    SUPPLIER = "ACCPAYCREDIT", "From a supplier"


class IfDuplicate(TextChoices):
    """What to do if the supplier's bill seems to be in the books already."""

    STOP = "stop", "Stop the run here"
    WRITE = "write", "Write it all the same"


class MatchBy(TextChoices):
    """The field that identifies an existing contact."""

    CONTACT_ID = "contact_id", "Contact ID"
    CONTACT_NUMBER = "contact_number", "Contact number"
    EMAIL = "email", "E-mail"
    NAME = "name", "Name"


class WhenFound(TextChoices):
    """What happens to the fields of an existing contact."""

    FILL = "fill", "Only fill empty fields"
    OVERWRITE = "overwrite", "Overwrite with the new values"


class IfItemExists(TextChoices):
    """What to do if an item with the code exists already."""

    UPDATE = "update", "Change the fields that are given"
    KEEP = "keep", "Leave it as it is"
    STOP = "stop", "Stop the run here"


class AttachTo(TextChoices):
    """Records that take files; the value is the address of their list."""

    INVOICE = "Invoices", "Invoice or bill"
    CREDIT_NOTE = "CreditNotes", "Credit note"
    PURCHASE_ORDER = "PurchaseOrders", "Purchase order"
    QUOTE = "Quotes", "Quote"
    CONTACT = "Contacts", "Contact"
    BANK_TRANSACTION = "BankTransactions", "Bank transaction"


class ReceivedBy(TextChoices):
    """How stock is received."""

    BILL = "bill", "A bill: it was bought"
    ADJUSTMENT = "adjustment", "An adjustment: it was counted or found"


class SearchBy(TextChoices):
    """The field in which a contact is searched for."""

    EMAIL = "email", "E-mail"
    NAME = "name", "Name"
    CONTACT_NUMBER = "contact_number", "Contact number"
    ACCOUNT_NUMBER = "account_number", "Account number"
    CONTACT_ID = "contact_id", "Contact ID"
    ANYWHERE = "anywhere", "Part of name, e-mail or number"


class ContactKey(TextChoices):
    """The field by which a contact is searched for before it is created; the value is the input that holds it."""

    EMAIL = "email", "E-mail"
    NAME = "name", "Name"
    CONTACT_NUMBER = "contact_number", "Contact number"
    ACCOUNT_NUMBER = "account_number", "Account number"


class IfNameTaken(TextChoices):
    """What to do if no contact was found, but another one has the new contact's name."""

    STOP = "stop", "Stop the run here"
    USE = "use", "Take the contact that has the name"
    OTHER_NAME = "other_name", "Create it under another name, with a number behind: Eva Holm (2)"


class DocumentKey(TextChoices):
    """The field by which a document is searched for before it is created."""

    NUMBER = "number", "Number"
    REFERENCE = "reference", "Reference"


class InvoiceSearchBy(TextChoices):
    """The field in which an invoice or bill is searched for."""

    NUMBER = "number", "Number"
    REFERENCE = "reference", "Reference"
    INVOICE_ID = "invoice_id", "Invoice ID"
    ANYWHERE = "anywhere", "Part of number, reference or contact"


class OrderSearchBy(TextChoices):
    """The field in which a purchase order is searched for."""

    NUMBER = "number", "Number"
    REFERENCE = "reference", "Reference"
    ORDER_ID = "order_id", "Purchase order ID"


class InvoiceKind(TextChoices):
    """Sales invoices, bills, or both."""

    ANY = "any", "Invoices and bills"
    SALES = "ACCREC", "Sales invoices"
    BILLS = "ACCPAY", "Bills"


class InvoiceState(TextChoices):
    """The status that an invoice or bill must have."""

    ANY = "any", "Any but deleted or voided"
    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved, awaiting payment"
    PAID = "PAID", "Paid"


class OrderState(TextChoices):
    """The status that a purchase order must have."""

    ANY = "any", "Any but deleted"
    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved"
    BILLED = "BILLED", "Billed"


class QuoteState(TextChoices):
    """The status that a quote must have."""

    ANY = "any", "Any but deleted"
    DRAFT = "DRAFT", "Draft"
    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    INVOICED = "INVOICED", "Invoiced"


class CreditNoteKind(TextChoices):
    """Customers' credit notes, suppliers', or both."""

    ANY = "any", "Customers' and suppliers'"
    CUSTOMER = "ACCRECCREDIT", "To customers"
    SUPPLIER = "ACCPAYCREDIT", "From suppliers"


class AccountClass(TextChoices):
    """Which side of the books an account is on."""

    ANY = "any", "All accounts"
    REVENUE = "REVENUE", "Revenue"
    EXPENSE = "EXPENSE", "Expenses"
    ASSET = "ASSET", "Assets"
    LIABILITY = "LIABILITY", "Liabilities"
    EQUITY = "EQUITY", "Equity"


class IfSeveralDocuments(TextChoices):
    """What to do if a search for documents finds more than one."""

    STOP = "stop", "Stop the run here"
    LATEST = "latest", "Take the one with the latest date"
    ALL = "all", "Give all of them as a list"


class IfNone(TextChoices):
    """What to do if a search finds nothing."""

    STOP = "stop", "Stop the run here"
    EMPTY = "empty", "Go on, with empty fields"


class IfSeveral(TextChoices):
    """What to do if a search finds more than one."""

    STOP = "stop", "Stop the run here"
    FIRST = "first", "Take the first by name"
    ALL = "all", "Give all of them as a list"
