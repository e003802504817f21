"""What `samples/record.py` is made of: a sample service, its client, dumpcap, and the captures made of them."""
