"""Files for bookkeepers: payments as tables, receipts as journals and bank statements."""
