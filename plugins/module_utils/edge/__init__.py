"""What the balancer at the edge is told and says: the operator's states of members, and NGINX's own word on them."""
