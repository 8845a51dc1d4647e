"""What vendors sell: their lists, the lists that these refer to, and prices."""
